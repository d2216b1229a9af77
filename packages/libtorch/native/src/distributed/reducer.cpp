// Data parallel training (Li et al. 2020, arXiv 2006.15704; PyTorch's c10d::Reducer): gradients are views of flat buckets,
// and a bucket is summed over the processes as soon as its last gradient has arrived, while the backward pass goes on.
// In C++, because gradients of a GPU arrive on that device's thread, where no JavaScript can run.
//
// Otherwise than PyTorch's: sums are not divided here; which parameters take part in an update is told beforehand, so
// that frozen ones and dropped layers are neither waited for nor sent; what does not arrive counts as zero.
#include "reducer.h"

#include "../convert.h"
#include "process-group.h"
#include "../promise.h"
#include "../registry.h"
#include "../tensors/tensor-data.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <numeric>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>

namespace bridge {

namespace {

using torch::autograd::variable_list;
using Accumulator = decltype(torch::autograd::impl::grad_accumulator(std::declval<const at::Tensor&>()));

constexpr int64_t kAlignment = 64;  // bytes, of each gradient in its bucket

double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct ReducerOptions {
  // The first bucket is small, so that sending begins early.
  int64_t firstBytes = 0;
  int64_t bytes = 0;
  bool bfloat16 = false;
};

// When a bucket was sent and when its sum was there, by the monotonic clock.
struct Exchange {
  size_t bucket;
  double sent;
  std::shared_ptr<std::atomic<double>> done;
};

class Reducer : public std::enable_shared_from_this<Reducer> {
 public:
  Reducer(std::shared_ptr<ProcessGroup> group, std::vector<at::Tensor> parameters, ReducerOptions options)
      : group_(std::move(group)), parameters_(std::move(parameters)), options_(options) {
    const size_t count = parameters_.size();
    active_.assign(count, true);
    arrived_.assign(count, false);
    seen_.assign(count, 0);
    expected_.assign(count, 1);
    place_.resize(count);
  }

  // Behind the constructor: hooks hold the object weakly.
  void watch() {
    for (size_t i = 0; i < parameters_.size(); i++) {
      Accumulator accumulator = torch::autograd::impl::grad_accumulator(parameters_[i]);
      std::weak_ptr<Reducer> self = weak_from_this();
      accumulator->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
          [self, i](const variable_list& outputs, const variable_list&) {
            if (const auto reducer = self.lock()) reducer->arrive(i);
            return outputs;
          }));
      accumulators_.push_back(std::move(accumulator));
    }
  }

  // Lays the gradients into buckets, in the order of the parameters' numbers.
  void arrange(const std::vector<int64_t>& order) {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<bool> there(parameters_.size(), false);
    for (int64_t i : order) {
      if (i < 0 || i >= static_cast<int64_t>(parameters_.size()) || there[i]) {
        throw ArgumentError("an order must hold each parameter's number once, but does not");
      }
      there[i] = true;
    }
    if (order.size() != parameters_.size()) {
      throw ArgumentError("an order must hold " + std::to_string(parameters_.size()) + " parameters, but holds " +
                          std::to_string(order.size()));
    }
    order_ = order;
    buckets_.clear();
    std::vector<int64_t> members;
    int64_t bytes = 0;
    const auto close = [&] {
      if (!members.empty()) addBucket(members);
      members.clear();
      bytes = 0;
    };
    for (int64_t i : order) {
      const at::Tensor& parameter = parameters_[i];
      const int64_t most = buckets_.empty() ? options_.firstBytes : options_.bytes;
      const bool fits = members.empty() || (bytes + static_cast<int64_t>(parameter.nbytes()) <= most &&
                                            parameter.scalar_type() == parameters_[members[0]].scalar_type());
      if (!fits) close();
      members.push_back(i);
      bytes += parameter.nbytes();
    }
    close();
  }

  // Before an update: which parameters it trains, the same in all processes.
  void begin(const std::vector<bool>& active) {
    std::lock_guard<std::mutex> lock(mutex_);
    active_ = active;
    std::fill(arrived_.begin(), arrived_.end(), false);
    arrivals_.clear();
    sending_ = false;
    next_ = 0;
    failure_ = nullptr;
    mistake_.clear();
    exchanges_.clear();
    for (Bucket& bucket : buckets_) {
      bucket.work.reset();
      bucket.pending = 0;
      for (int64_t i : bucket.members) bucket.pending += active_[i];
      bucket.active = bucket.pending > 0;
    }
  }

  // Before the last backward pass of an update: from here on, what arrives is sent.
  void send() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::fill(seen_.begin(), seen_.end(), 0);
    sending_ = true;
  }

  // Sends what has not been sent. The sums are there when the works are done, unless there is a failure. Throws ArgumentError
  // for a gradient that should not have come.
  std::vector<WorkPointer> finish() {
    std::lock_guard<std::mutex> lock(mutex_);
    while (next_ < buckets_.size()) launch(next_++);
    for (size_t i = 0; i < parameters_.size(); i++) expected_[i] = std::max(expected_[i], seen_[i]);
    learned_ = true;
    sending_ = false;
    if (!mistake_.empty()) throw ArgumentError(mistake_);
    std::vector<WorkPointer> works;
    for (const Bucket& bucket : buckets_) {
      if (bucket.work) works.push_back(bucket.work);
    }
    return works;
  }

  // Behind the works.
  void unpack() {
    at::NoGradGuard unrecorded;
    for (Bucket& bucket : buckets_) {
      if (bucket.work && options_.bfloat16) bucket.flat.copy_(bucket.compressed);
    }
  }

  // Sums of what some process had a gradient of become the gradients; the others have none.
  void assign(const std::vector<bool>& used) {
    for (size_t i = 0; i < parameters_.size(); i++) {
      parameters_[i].mutable_grad() = used[i] ? views_[i] : at::Tensor();
    }
  }

  size_t size() const { return parameters_.size(); }
  const ProcessGroup& group() const { return *group_; }
  // Why a bucket could not be sent.
  const std::exception_ptr& failure() const { return failure_; }
  const std::vector<bool>& arrived() const { return arrived_; }
  // The parameters in the order in which their gradients arrived in this update, then the others.
  std::vector<int64_t> arrivals() const {
    std::vector<int64_t> order = arrivals_;
    for (int64_t i : order_) {
      if (!arrived_[i]) order.push_back(i);
    }
    return order;
  }
  const std::vector<int64_t>& order() const { return order_; }
  const std::vector<Exchange>& exchanges() const { return exchanges_; }
  size_t bucketBytes(size_t bucket) const { return buckets_[bucket].flat.nbytes(); }
  bool traced = false;

 private:
  struct Bucket {
    at::Tensor flat;
    at::Tensor compressed;
    std::vector<int64_t> members;
    size_t pending = 0;
    bool active = false;
    WorkPointer work;
  };

  void addBucket(const std::vector<int64_t>& members) {
    at::NoGradGuard unrecorded;
    Bucket bucket;
    bucket.members = members;
    const at::TensorOptions options = parameters_[members[0]].options().requires_grad(false);
    const int64_t step = kAlignment / static_cast<int64_t>(options.dtype().itemsize());
    std::vector<int64_t> starts;
    int64_t length = 0;
    for (int64_t i : members) {
      starts.push_back(length);
      length += (parameters_[i].numel() + step - 1) / step * step;
    }
    bucket.flat = at::zeros({length}, options);
    views_.resize(parameters_.size());
    for (size_t k = 0; k < members.size(); k++) {
      const at::Tensor& parameter = parameters_[members[k]];
      views_[members[k]] = bucket.flat.narrow(0, starts[k], parameter.numel()).view(parameter.sizes());
      place_[members[k]] = buckets_.size();
    }
    buckets_.push_back(std::move(bucket));
  }

  // On the thread of the backward pass, behind the addition of a gradient.
  void arrive(size_t i) {
    std::lock_guard<std::mutex> lock(mutex_);
    at::NoGradGuard unrecorded;
    at::Tensor& gradient = parameters_[i].mutable_grad();
    if (!gradient.defined()) return;
    if (!gradient.is_same(views_[i])) {
      views_[i].copy_(gradient);
      gradient = views_[i];
    }
    if (!arrived_[i]) arrivals_.push_back(i);
    arrived_[i] = true;
    seen_[i]++;
    // Which come how often is known behind the first update, whose sums are all sent at its end.
    if (!sending_ || !learned_) return;
    Bucket& bucket = buckets_[place_[i]];
    if (bucket.work || !active_[i]) {
      if (mistake_.empty()) mistake_ = unexpected(i);
    } else if (seen_[i] == expected_[i]) {
      bucket.pending--;
      while (next_ < buckets_.size() && buckets_[next_].pending == 0) launch(next_++);
    }
  }

  std::string unexpected(size_t i) const {
    const std::string what = describe(parameters_[i]);
    if (!active_[i]) return "a parameter that an update leaves out must have no gradient, but one of " + what + " has";
    return "a parameter must have all its gradients before it is sent, but one of " + what + " had another";
  }

  // In the order of the buckets, which is the same in all processes.
  void launch(size_t index) {
    Bucket& bucket = buckets_[index];
    if (!bucket.active || failure_ || !mistake_.empty()) return;
    at::NoGradGuard unrecorded;
    try {
      for (int64_t i : bucket.members) {
        if (!arrived_[i]) views_[i].zero_();
      }
      if (options_.bfloat16) bucket.compressed = bucket.flat.to(at::kBFloat16);
      const double began = milliseconds();
      bucket.work = group_->allReduce(options_.bfloat16 ? bucket.compressed : bucket.flat);
      if (!traced) return;
      const auto done = std::make_shared<std::atomic<double>>(0);
      exchanges_.push_back({index, began, done});
      bucket.work->getFuture()->addCallback([done](c10::ivalue::Future&) { done->store(milliseconds()); });
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  std::shared_ptr<ProcessGroup> group_;
  std::vector<at::Tensor> parameters_;
  std::vector<Accumulator> accumulators_;
  ReducerOptions options_;
  std::mutex mutex_;
  std::vector<Bucket> buckets_;
  std::vector<at::Tensor> views_;
  std::vector<size_t> place_;  // each parameter's bucket
  std::vector<int64_t> order_;
  // Of this update
  std::vector<bool> active_;
  std::vector<bool> arrived_;
  std::vector<int64_t> arrivals_;
  bool sending_ = false;
  size_t next_ = 0;  // bucket to send
  std::exception_ptr failure_;
  std::string mistake_;  // a gradient that should not have come
  std::vector<Exchange> exchanges_;
  // How often each gradient arrives in one backward pass: with checkpoints, more than once
  std::vector<int> seen_;
  std::vector<int> expected_;
  bool learned_ = false;
};

using ReducerPointer = std::shared_ptr<Reducer>;

Registry<ReducerPointer>& reducers() {
  static auto* registry = new Registry<ReducerPointer>("a reducer");
  return *registry;
}

ReducerPointer reducerAt(Environment& environment, napi_value id) {
  return reducers().at(numberOf(environment.env, id));
}

// The memory of a Uint8Array of a flag for each parameter.
uint8_t* flagsIn(napi_env env, napi_value array, size_t count) {
  const Bytes bytes = unsignedBytesOf(env, array);
  if (bytes.length != count) {
    throw ArgumentError("there must be a flag for each of " + std::to_string(count) + " parameters, but there are " +
                        std::to_string(bytes.length));
  }
  return static_cast<uint8_t*>(bytes.data);
}

std::vector<bool> flagsOf(napi_env env, napi_value array, size_t count) {
  const uint8_t* flags = flagsIn(env, array, count);
  return std::vector<bool>(flags, flags + count);
}

}  // namespace

// openReducer(group, parameters, order or empty for last to first, bytes of the first bucket, of the others, whether
// bfloat16, whether traced) -> id
napi_value openReducer(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  std::vector<at::Tensor> parameters = tensorsOf(environment, values[1], "parameters");
  for (const at::Tensor& parameter : parameters) {
    if (parameter.requires_grad() && parameter.is_leaf() && parameter.is_contiguous()) continue;
    throw ArgumentError("a parameter must be a contiguous leaf that requires a gradient, but " + describe(parameter) +
                        " is not");
  }
  std::vector<int64_t> order = integersOf(env, values[2]);
  if (order.empty()) {
    // Backward passes reach the last parameters first.
    order.resize(parameters.size());
    std::iota(order.rbegin(), order.rend(), 0);
  }
  ReducerOptions options;
  options.firstBytes = integerOf(env, values[3]);
  options.bytes = integerOf(env, values[4]);
  options.bfloat16 = booleanOf(env, values[5]);
  auto reducer =
      std::make_shared<Reducer>(processGroupAt(numberOf(env, values[0])), std::move(parameters), options);
  reducer->traced = booleanOf(env, values[6]);
  reducer->arrange(order);
  reducer->watch();
  return numberValue(env, reducers().add(std::move(reducer)));
}

napi_value closeReducer(Environment& environment, napi_value* values, size_t) {
  reducers().remove(numberOf(environment.env, values[0]));
  return nullptr;
}

// reducerBegin(id, flags of the parameters that the update trains)
napi_value reducerBegin(Environment& environment, napi_value* values, size_t) {
  const ReducerPointer reducer = reducerAt(environment, values[0]);
  reducer->begin(flagsOf(environment.env, values[1], reducer->size()));
  return nullptr;
}

// reducerSend(id)
napi_value reducerSend(Environment& environment, napi_value* values, size_t) {
  reducerAt(environment, values[0])->send();
  return nullptr;
}

// reducerFinish(id) -> promise, behind which the sums are there
napi_value reducerFinish(Environment& environment, napi_value* values, size_t) {
  const ReducerPointer reducer = reducerAt(environment, values[0]);
  const std::vector<WorkPointer> works = reducer->finish();
  if (const std::exception_ptr failure = reducer->failure()) {
    return promised(environment, "all_reduce", [failure]() -> Outcome { std::rethrow_exception(failure); });
  }
  return reducer->group().awaited(environment, "all_reduce", works, [reducer](Environment&) -> napi_value {
    reducer->unpack();
    return nullptr;
  });
}

// reducerArrived(id, Uint8Array to fill): flags of the parameters that had a gradient in this process
napi_value reducerArrived(Environment& environment, napi_value* values, size_t) {
  const std::vector<bool>& arrived = reducerAt(environment, values[0])->arrived();
  std::copy(arrived.begin(), arrived.end(), flagsIn(environment.env, values[1], arrived.size()));
  return nullptr;
}

// reducerAssign(id, flags of the parameters that had a gradient in some process)
napi_value reducerAssign(Environment& environment, napi_value* values, size_t) {
  const ReducerPointer reducer = reducerAt(environment, values[0]);
  reducer->assign(flagsOf(environment.env, values[1], reducer->size()));
  return nullptr;
}

// reducerOrder(id, whether that of the arrivals in this update) -> parameters' numbers
napi_value reducerOrder(Environment& environment, napi_value* values, size_t) {
  const ReducerPointer reducer = reducerAt(environment, values[0]);
  const bool arrivals = booleanOf(environment.env, values[1]);
  const std::vector<int64_t> order = arrivals ? reducer->arrivals() : reducer->order();
  return numbersValue(environment.env, std::vector<double>(order.begin(), order.end()));
}

// reducerArrange(id, order), between updates
napi_value reducerArrange(Environment& environment, napi_value* values, size_t) {
  reducerAt(environment, values[0])->arrange(integersOf(environment.env, values[1]));
  return nullptr;
}

// reducerTrace(id) -> [bucket, bytes, sent, done, ...] of this update, times in ms of the monotonic clock
napi_value reducerTrace(Environment& environment, napi_value* values, size_t) {
  const ReducerPointer reducer = reducerAt(environment, values[0]);
  std::vector<double> numbers;
  for (const Exchange& exchange : reducer->exchanges()) {
    for (double number : {static_cast<double>(exchange.bucket), static_cast<double>(reducer->bucketBytes(exchange.bucket)),
                          exchange.sent, exchange.done->load()}) {
      numbers.push_back(number);
    }
  }
  return numbersValue(environment.env, numbers);
}

// digestOf(handles) -> 16 hexadecimal digits of all their bytes, in order
napi_value digestOf(Environment& environment, napi_value* values, size_t) {
  uint64_t digest = 1469598103934665603u;  // FNV-1a over words of eight bytes, mixed so that high bits count too
  for (const at::Tensor& tensor : tensorsOf(environment, values[0], "tensors")) {
    const at::Tensor bytes = tensor.detach().cpu().contiguous();
    const auto* data = static_cast<const uint8_t*>(bytes.data_ptr());
    const size_t length = bytes.nbytes();
    for (size_t start = 0; start < length; start += 8) {
      uint64_t word = 0;
      std::memcpy(&word, data + start, std::min<size_t>(8, length - start));
      digest = (digest ^ word) * 1099511628211u;
      digest ^= digest >> 29;
    }
  }
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(digest));
  return stringValue(environment.env, text);
}

}  // namespace bridge
