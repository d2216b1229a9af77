// Dropout (Srivastava et al. 2014). libtorch's draws a mask in float32 by one thread's Mersenne twister and keeps it
// for the backward pass: as much memory again as each dropped tensor, and a tenth of a training step.
#include "dropout.h"

#include "../convert.h"
#include "parallel.h"
#include "rows.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

namespace bridge {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kRow = 1 << 14;

template <typename Number>
void drop(const at::Tensor& from, const at::Tensor& to, double probability, uint64_t seed) {
  const Dropping dropping(probability);
  const Number* source = static_cast<const Number*>(from.data_ptr());
  Number* target = static_cast<Number*>(to.data_ptr());
  const int64_t count = from.numel();
  inParallel((count + kRow - 1) / kRow, 2, [&](int64_t first, int64_t end) {
    for (int64_t row = first; row < end; row++) {
      const int64_t start = row * kRow;
      dropRow(source + start, target + start, static_cast<uint32_t>(std::min(kRow, count - start)), rowKey(seed, row),
              dropping);
    }
  });
}

at::Tensor dropped(const at::Tensor& input, double probability, uint64_t seed) {
  const at::Tensor from = input.contiguous();
  const at::Tensor to = at::empty_like(from);
  from.scalar_type() == at::kFloat ? drop<float>(from, to, probability, seed) : drop<Bfloat16>(from, to, probability, seed);
  return to;
}

struct Dropout : torch::autograd::Function<Dropout> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, double probability, int64_t seed) {
    context->saved_data["probability"] = probability;
    context->saved_data["seed"] = seed;
    return dropped(input, probability, static_cast<uint64_t>(seed));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    if (!gradients[0].defined()) return {at::Tensor(), at::Tensor(), at::Tensor()};
    const double probability = context->saved_data["probability"].toDouble();
    const int64_t seed = context->saved_data["seed"].toInt();
    return {Dropout::apply(gradients[0], probability, seed), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

uint64_t dropoutSeed() {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  std::lock_guard<std::mutex> lock(generator.mutex());
  return at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
}

at::Tensor seededDropout(const at::Tensor& input, double probability, uint64_t seed) {
  return Dropout::apply(input, probability, static_cast<int64_t>(seed));
}

// fastDropout(handle, probability) -> handle; for float32 and bfloat16 on the CPU
napi_value fastDropout(Environment& environment, napi_value* values, size_t) {
  const at::Tensor input = tensorOf(environment, values[0]);
  environment.origin = "dropout";
  RECORD_FUNCTION("dropout", {});
  return handleValue(environment, seededDropout(input, numberOf(environment.env, values[1]), dropoutSeed()));
}

}  // namespace bridge
