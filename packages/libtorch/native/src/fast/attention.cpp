// softmax(Q K^T / sqrt(size)) V with dropout on the weights. libtorch's fused kernel on the CPU knows no dropout, and
// its other one holds [batch, heads, time, time] four times for the backward pass. Here a block of rows is held at a
// time, and computed again in the backward pass (as Dao et al. 2022, arXiv 2205.14135).
#include "dropout.h"

#include "attention.h"
#include "../convert.h"
#include "parallel.h"
#include "rows.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

namespace bridge {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kBlock = 1 << 16;  // scores that are held at once for a head: what a core's own cache takes

// Scores of one head of one clip, and what makes weights of them.
class Scores {
 public:
  Scores(const at::Tensor& query, const at::Tensor& bias, double probability, uint64_t seed)
      : heads_(query.size(1)), time_(query.size(2)), scale_(1 / std::sqrt(static_cast<float>(query.size(3)))),
        bias_(bias), dropping_(probability), seed_(seed) {}

  // scores [rows, keys] of rows from `first` on become shares
  void softmax(at::Tensor& scores, int64_t head) const {
    const float* bias = bias_.numel() > 0 ? bias_.data_ptr<float>() + head / heads_ * bias_.size(1) : nullptr;
    eachRow(scores, [&](float* row, int64_t, uint32_t keys) { softmaxRow(row, bias, keys, scale_); });
  }

  void drop(at::Tensor& shares, int64_t head, int64_t first) const {
    eachRow(shares, [&](float* row, int64_t place, uint32_t keys) {
      dropRow(row, row, keys, rowKey(seed_, head * time_ + first + place), dropping_);
    });
  }

  // shares become dropped ones, the gradient of those becomes that of the scores
  void backward(at::Tensor& shares, at::Tensor& gradient, int64_t head, int64_t first) const {
    float* gradients = gradient.data_ptr<float>();
    eachRow(shares, [&](float* row, int64_t place, uint32_t keys) {
      droppedSoftmaxRowBackward(row, gradients + place * keys, keys, rowKey(seed_, head * time_ + first + place),
                                dropping_, scale_);
    });
  }

 private:
  template <typename Body>
  static void eachRow(at::Tensor& scores, const Body& body) {
    const int64_t keys = scores.size(1);
    float* data = scores.data_ptr<float>();
    for (int64_t place = 0; place < scores.size(0); place++) body(data + place * keys, place, static_cast<uint32_t>(keys));
  }

  int64_t heads_, time_;
  float scale_;
  at::Tensor bias_;
  Dropping dropping_;
  uint64_t seed_;
};

// [batch, heads, time, size] that lies in memory as [batch, time, heads, size], as projections read and write it
at::Tensor emptyAs(const at::Tensor& like) {
  return at::empty({like.size(0), like.size(2), like.size(1), like.size(3)}, like.options()).transpose(1, 2);
}

// Calls body(head, blocks) for every clip's heads, a head counted through all clips, by all threads. blocks(use) calls
// use(first, count, room) for blocks of rows of the head; `room` are two blocks of scores.
template <typename Body>
void eachHead(const at::Tensor& query, int64_t keys, const Body& body) {
  const int64_t time = query.size(2);
  const int64_t most = std::max<int64_t>(1, kBlock / keys);
  const int64_t parts = (time + most - 1) / most, rows = (time + parts - 1) / parts;
  inParallel(query.size(0) * query.size(1), 1, [&](int64_t from, int64_t end) {
    at::AutoDispatchBelowADInplaceOrView unrecorded;
    c10::impl::ExcludeDispatchKeyGuard exact(c10::DispatchKey::AutocastCPU);  // float32, whatever others compute in
    const at::Tensor room = at::empty({2, rows * keys}, query.options().dtype(at::kFloat));
    const auto blocks = [&](const auto& use) {
      for (int64_t first = 0; first < time; first += rows) {
        const int64_t count = std::min(rows, time - first);
        use(first, count, room.narrow(1, 0, count * keys).view({2, count, keys}));
      }
    };
    for (int64_t head = from; head < end; head++) body(head, blocks);
  });
}

// [time, size]
at::Tensor ofHead(const at::Tensor& tensor, int64_t head) {
  return tensor.select(0, head / tensor.size(1)).select(0, head % tensor.size(1));
}

// The same in float32: itself, or a copy.
at::Tensor floatsOfHead(const at::Tensor& tensor, int64_t head) { return ofHead(tensor, head).to(at::kFloat); }

// Where float32 that becomes a head's values is written: these themselves, or room for them until `keep`.
class Written {
 public:
  Written(const at::Tensor& tensor, int64_t head)
      : values_(ofHead(tensor, head)),
        floats_(values_.scalar_type() == at::kFloat ? values_ : at::empty(values_.sizes(), values_.options().dtype(at::kFloat))) {}
  at::Tensor& floats() { return floats_; }
  void keep() {
    if (!floats_.is_same(values_)) values_.copy_(floats_);
  }

 private:
  at::Tensor values_, floats_;
};

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value, const at::Tensor& bias, double probability, int64_t seed) {
    context->save_for_backward({query, key, value, bias});
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    const Scores scores(query, bias, probability, static_cast<uint64_t>(seed));
    const at::Tensor attended = emptyAs(query);
    eachHead(query, key.size(2), [&](int64_t head, const auto& blocks) {
      const at::Tensor queries = floatsOfHead(query, head), keys = floatsOfHead(key, head).t();
      const at::Tensor values = floatsOfHead(value, head);
      Written into(attended, head);
      blocks([&](int64_t first, int64_t count, const at::Tensor& room) {
        at::Tensor shares = room[0], rows = into.floats().narrow(0, first, count);
        at::mm_out(shares, queries.narrow(0, first, count), keys);
        scores.softmax(shares, head);
        scores.drop(shares, head, first);
        at::mm_out(rows, shares, values);
      });
      into.keep();
    });
    return attended;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor none;
    if (!gradients[0].defined()) return {none, none, none, none, none, none};
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &query = saved[0], &key = saved[1], &value = saved[2], &bias = saved[3];
    const double probability = context->saved_data["probability"].toDouble();
    const auto seed = static_cast<uint64_t>(context->saved_data["seed"].toInt());
    if (at::GradMode::is_enabled()) return differentiable(query, key, value, bias, probability, seed, gradients[0]);

    const Scores scores(query, bias, probability, seed);
    const at::Tensor ofQuery = emptyAs(query), ofKey = emptyAs(key), ofValue = emptyAs(value);
    eachHead(query, key.size(2), [&](int64_t head, const auto& blocks) {
      const at::Tensor allQueries = floatsOfHead(query, head), allGradients = floatsOfHead(gradients[0], head);
      const at::Tensor keys = floatsOfHead(key, head), values = floatsOfHead(value, head).t();
      Written ofQueries(ofQuery, head), ofKeys(ofKey, head), ofValues(ofValue, head);
      blocks([&](int64_t first, int64_t count, const at::Tensor& room) {
        const at::Tensor queries = allQueries.narrow(0, first, count), gradient = allGradients.narrow(0, first, count);
        at::Tensor shares = room[0], ofShares = room[1], rows = ofQueries.floats().narrow(0, first, count);
        at::mm_out(shares, queries, keys.t());
        scores.softmax(shares, head);
        at::mm_out(ofShares, gradient, values);
        scores.backward(shares, ofShares, head, first);
        const int before = first == 0 ? 0 : 1;
        at::addmm_out(ofValues.floats(), ofValues.floats(), shares.t(), gradient, before);
        at::addmm_out(ofKeys.floats(), ofKeys.floats(), ofShares.t(), queries, before);
        at::mm_out(rows, ofShares, keys);
      });
      for (Written* each : {&ofQueries, &ofKeys, &ofValues}) each->keep();
    });
    return {ofQuery, ofKey, ofValue, none, none, none};
  }

 private:
  // The same from operators that have gradients of their own: for gradients of gradients.
  static variable_list differentiable(const at::Tensor& ownQuery, const at::Tensor& ownKey, const at::Tensor& ownValue,
                                      const at::Tensor& bias, double probability, uint64_t seed,
                                      const at::Tensor& ownGradient) {
    const at::ScalarType dtype = ownQuery.scalar_type();
    const at::Tensor query = ownQuery.to(at::kFloat), key = ownKey.to(at::kFloat), value = ownValue.to(at::kFloat);
    const at::Tensor gradient = ownGradient.to(at::kFloat);
    const double scale = 1 / std::sqrt(static_cast<double>(query.size(3)));
    at::Tensor scores = at::matmul(query, key.transpose(-2, -1)) * scale;
    if (bias.numel() > 0) scores = scores + bias.unsqueeze(1).unsqueeze(1);
    const at::Tensor shares = at::softmax(scores, -1);
    const at::Tensor kept = at::ones_like(shares);
    const Scores dropping(query, bias, probability, seed);
    for (int64_t head = 0; head < query.size(0) * query.size(1); head++) {
      at::Tensor mask = ofHead(kept, head);
      dropping.drop(mask, head, 0);
    }
    const at::Tensor ofShares = at::matmul(gradient, value.transpose(-2, -1)) * kept;
    const at::Tensor ofScores = shares * (ofShares - (ofShares * shares).sum(-1, true)) * scale;
    const at::Tensor none;
    return {at::matmul(ofScores, key).to(dtype), at::matmul(ofScores.transpose(-2, -1), query).to(dtype),
            at::matmul((shares * kept).transpose(-2, -1), gradient).to(dtype), none, none, none};
  }
};

}  // namespace

// fastAttention(query, key, value, bias or undefined, probability) -> handle; for float32 and bfloat16 on the CPU, all of
// one type, computed in float32. All are [batch, heads, time, size], the bias is [batch, time of key].
napi_value fastAttention(Environment& environment, napi_value* values, size_t) {
  const at::Tensor query = tensorOf(environment, values[0]), key = tensorOf(environment, values[1]);
  const at::Tensor value = tensorOf(environment, values[2]);
  napi_valuetype type;
  check(environment.env, napi_typeof(environment.env, values[3], &type));
  // An empty one for none: functions with gradients take no undefined tensors.
  const at::Tensor bias = type == napi_undefined ? at::empty({0}) : tensorOf(environment, values[3]).to(at::kFloat).contiguous();
  const double probability = numberOf(environment.env, values[4]);
  environment.origin = "attention";
  RECORD_FUNCTION("attention", {});
  return handleValue(environment, Attention::apply(query, key, value, bias, probability, static_cast<int64_t>(dropoutSeed())));
}

}  // namespace bridge
