// Products of large float32 matrices on AMD's processors with AVX-512. libtorch takes MKL for them, which comes to 140 to 200
// GFLOP/s on two cores of a Zen 4; oneDNN, which it takes for bfloat16, comes to 195 to 215. Whoever multiplies gets it:
// linear layers, convolutions that are products of views, and the backward passes of both.
#include "matmul.h"

#include <ATen/CPUFunctions.h>
#include <ATen/ExpandUtils.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#if TORCH_VERSION_MAJOR >= 2
// result = first second, or more to it where `beta` is 1. Not in the headers that libtorch comes with, and not in every libtorch.
namespace at::native {
[[gnu::weak]] void mkldnn_matmul(const Tensor& first, const Tensor& second, const Tensor& result, float beta, float alpha);
}
#endif

namespace bridge {

namespace {

#if TORCH_VERSION_MAJOR >= 2

// For a shape that is new, oneDNN writes machine code for 0.6 to 0.9 ms. A product of this size takes 1.3 ms and gains a tenth
// to a fifth of it, once in each layer.
constexpr double kLarge = 1 << 28;

bool isAmdWithAvx512() {
#if defined(__x86_64__)
  return __builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
#else
  return false;
#endif
}

// Rows, or columns, one right behind the other: oneDNN copies others.
bool isDense(const at::Tensor& matrix) {
  return matrix.is_contiguous() || (matrix.stride(0) == 1 && matrix.stride(1) == matrix.size(0));
}

// Whether this libtorch's oneDNN computes float32 as it is.
bool multiplies() {
  static const bool right = [] {
    try {
      const at::Tensor first = at::arange(1, 65, at::kFloat).reshape({8, 8}).div(7), second = first.t().neg().exp();
      const at::Tensor expected = at::cpu::mm(first, second), result = at::empty_like(expected);
      at::native::mkldnn_matmul(first, second, result, 0, 1);
      return at::allclose(result, expected, 1e-5, 0);
    } catch (const c10::Error&) {
      return false;
    }
  }();
  return right;
}

bool isFast(const at::Tensor& first, const at::Tensor& second) {
  return first.dim() == 2 && second.dim() == 2 && first.scalar_type() == at::kFloat && second.scalar_type() == at::kFloat &&
         first.size(1) == second.size(0) && 2.0 * first.numel() * second.size(1) >= kLarge && isDense(first) &&
         isDense(second) && !at::in_parallel_region() && multiplies();
}

bool isFastInto(const at::Tensor& result, const at::Tensor& first, const at::Tensor& second) {
  return isFast(first, second) && result.scalar_type() == at::kFloat && result.dim() == 2 &&
         result.size(0) == first.size(0) && result.size(1) == second.size(1) && result.is_contiguous() &&
         !result.is_alias_of(first) && !result.is_alias_of(second);
}

bool isAddedAsItIs(const at::Tensor& added, const at::Tensor& first, const at::Tensor& second, const at::Scalar& beta,
                   const at::Scalar& alpha) {
  const int64_t shape[] = {first.size(0), second.size(1)};
  return added.scalar_type() == at::kFloat && at::is_expandable_to(added.sizes(), shape) && alpha.equal(1) &&
         (beta.equal(0) || beta.equal(1));
}

// x W^T + b as oneDNN's linear layer has it, whose bias takes no pass of its own over the result; undefined where there is none.
at::Tensor linear(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias) {
  static const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!found) return at::Tensor();
  const c10::impl::GenericList numbers(c10::OptionalType::create(c10::NumberType::get()));
  torch::jit::Stack stack{input, weight, bias, "none", numbers, c10::IValue()};  // and nothing behind it
  found->callBoxed(&stack);
  return stack[0].toTensor();
}

at::Tensor& mmOut(const at::Tensor& first, const at::Tensor& second, at::Tensor& result) {
  if (!isFastInto(result, first, second)) return at::cpu::mm_out(result, first, second);
  at::native::mkldnn_matmul(first, second, result, 0, 1);
  return result;
}

at::Tensor mm(const at::Tensor& first, const at::Tensor& second) {
  if (!isFast(first, second)) return at::cpu::mm(first, second);
  at::Tensor result = at::empty({first.size(0), second.size(1)}, first.options());
  return mmOut(first, second, result);
}

at::Tensor& addmmOut(const at::Tensor& added, const at::Tensor& first, const at::Tensor& second, const at::Scalar& beta,
                     const at::Scalar& alpha, at::Tensor& result) {
  if (!isFastInto(result, first, second) || !isAddedAsItIs(added, first, second, beta, alpha))
    return at::cpu::addmm_out(result, added, first, second, beta, alpha);
  const bool adds = beta.equal(1);
  if (adds && !result.is_same(added)) result.copy_(added.expand_as(result));
  at::native::mkldnn_matmul(first, second, result, adds ? 1 : 0, 1);
  return result;
}

at::Tensor& addmmInPlace(at::Tensor& added, const at::Tensor& first, const at::Tensor& second, const at::Scalar& beta,
                         const at::Scalar& alpha) {
  if (!isFastInto(added, first, second)) return at::cpu::addmm_(added, first, second, beta, alpha);
  return addmmOut(added, first, second, beta, alpha, added);
}

at::Tensor addmm(const at::Tensor& added, const at::Tensor& first, const at::Tensor& second, const at::Scalar& beta,
                 const at::Scalar& alpha) {
  if (!isFast(first, second) || !isAddedAsItIs(added, first, second, beta, alpha))
    return at::cpu::addmm(added, first, second, beta, alpha);
  if (added.dim() == 1 && added.is_contiguous() && added.size(0) == second.size(1) && beta.equal(1) &&
      first.is_contiguous() && second.t().is_contiguous()) {
    const at::Tensor result = linear(first, second.t(), added);
    if (result.defined()) return result;
  }
  at::Tensor result = at::empty({first.size(0), second.size(1)}, first.options());
  return addmmOut(added, first, second, beta, alpha, result);
}

// libtorch warns of kernels that are replaced.
class Silent : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

bool install() {
  if (!at::native::mkldnn_matmul || !isAmdWithAvx512()) return false;
  Silent silent;
  c10::WarningUtils::WarningHandlerGuard guard(&silent);
  static torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
  library.impl("mm", mm).impl("mm.out", mmOut);
  library.impl("addmm", addmm).impl("addmm.out", addmmOut).impl("addmm_", addmmInPlace);
  return true;
}

#else

bool install() { return false; }

bool multiplies() { return false; }

#endif

bool isInstalled() {
  static const bool installed = install();
  return installed;
}

}  // namespace

void installFastMatmul() { isInstalled(); }

bool productsCopyStrided(const at::Tensor& matrix) {
  const at::ScalarType dtype = matrix.scalar_type();
  if (!matrix.is_cpu()) return false;
  return dtype == at::kBFloat16 || dtype == at::kHalf || (dtype == at::kFloat && isInstalled() && multiplies());
}

}  // namespace bridge
