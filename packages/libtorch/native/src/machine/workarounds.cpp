#include "workarounds.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bridge {

namespace {

// oneDNN multiplies bfloat16 matrices with float32 sums where the processor has these; elsewhere libtorch's own
// loops run.
bool oneDnnMultipliesBfloat16() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
  return false;
#endif
}

// Whether the processor has tiles for bfloat16 (AMX), which oneDNN's convolutions use.
bool hasBfloat16Tiles() {
#if defined(__x86_64__)
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & (1u << 22)) != 0;
#else
  return false;
#endif
}

// With tiles, oneDNN gathers the taps of a convolution of few channels into one row, and leaves out all but a part of
// them where channels times taps are a multiple of 32 above 32: errors as large as the values. Every shape of 2 to 15
// channels is kept from that path.
bool isNarrowConvolution(const torch::jit::Stack& arguments) {
  const at::Tensor weight = arguments[1].toTensor();
  return weight.dim() == 3 && weight.size(1) > 1 && weight.size(1) < 16;
}

constexpr bool kBefore2 = TORCH_VERSION_MAJOR < 2;

struct Fault {
  const char* operators;  // separated by spaces
  Workaround workaround;
  bool applies;
  const char* reason;
};

const std::vector<Fault>& faults() {
  static const std::vector<Fault> known = {
      {"gelu", Workaround::ContiguousGradient, kBefore2,
       "incoming gradients are made contiguous, because oneDNN's backward is wrong for others"},
      {"layer_norm", Workaround::Float32, true,
       "bfloat16 is computed in float32, because the gradients of weight and bias are summed in bfloat16"},
      {"group_norm", Workaround::Float32, kBefore2,
       "bfloat16 is computed in float32, because the gradients of weight and bias are summed in bfloat16"},
      {"embedding index.Tensor", Workaround::Float32, true,
       "bfloat16 is read as float32, because gradients of repeated indices are summed in bfloat16"},
      {"index_select gather", Workaround::Float32, kBefore2,
       "bfloat16 is read as float32, because gradients of repeated indices are summed in bfloat16"},
      {"sum sum.dim_IntList linalg_vector_norm", Workaround::Float32, kBefore2,
       "bfloat16 is computed in float32, because it is summed in bfloat16 unless contiguous"},
      {"conv1d", Workaround::Float32Product, !oneDnnMultipliesBfloat16(),
       "bfloat16 is computed in float32, because this processor's kernel sums in bfloat16"},
      {"conv1d", Workaround::Float32NarrowConvolution, hasBfloat16Tiles(),
       "bfloat16 of 2 to 15 channels is computed in float32, because oneDNN with AMX leaves taps out"},
      {"matmul mm bmm addmm baddbmm linear", Workaround::Float32Product, kBefore2 && !oneDnnMultipliesBfloat16(),
       "bfloat16 is computed in float32, because this processor's kernel sums in bfloat16"},
  };
  return known;
}

bool names(const char* list, const std::string& name) {
  return (" " + std::string(list) + " ").find(" " + name + " ") != std::string::npos;
}

bool isReduced(at::ScalarType dtype) { return dtype == at::kBFloat16 || dtype == at::kHalf; }

bool autocastOnCpu() {
#if TORCH_VERSION_MAJOR >= 2 && (TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 4)
  return at::autocast::is_autocast_enabled(at::kCPU);
#else
  return at::autocast::is_cpu_enabled();
#endif
}

at::ScalarType autocastDtypeOnCpu() {
#if TORCH_VERSION_MAJOR >= 2 && (TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 4)
  return at::autocast::get_autocast_dtype(at::kCPU);
#else
  return at::autocast::get_autocast_cpu_dtype();
#endif
}

// Computes in float32 what would be computed in a reduced precision, and rounds operands and results to it.
// Autograd records the conversions, so that the backward pass sums in float32 as well.
void callInFloat32(bool product, const c10::OperatorHandle& handle, const std::vector<Conversion>& arguments,
                   torch::jit::Stack& stack) {
  const at::Tensor first = stack[0].toTensor();
  at::ScalarType dtype = first.scalar_type();
  const bool cast = product && autocastOnCpu() && dtype != at::kDouble;
  if (cast) dtype = autocastDtypeOnCpu();
  bool chosen = false;  // a result dtype given by the caller: libtorch converts before it computes
  for (size_t i = 0; i < arguments.size(); i++) chosen |= arguments[i].kind == Kind::Dtype && !stack[i].isNone();
  if (!first.is_cpu() || !isReduced(dtype) || chosen) return handle.callBoxed(&stack);
  for (c10::IValue& value : stack) {
    if (!value.isTensor()) continue;
    const at::Tensor tensor = value.toTensor();
    if (!tensor.is_cpu() || !tensor.is_floating_point()) continue;
    if (cast && tensor.scalar_type() != at::kDouble) {
      value = tensor.to(dtype).to(at::kFloat);
    } else if (isReduced(tensor.scalar_type())) {
      value = tensor.to(at::kFloat);
    }
  }
  {
    c10::impl::ExcludeDispatchKeyGuard withoutAutocast(c10::DispatchKey::AutocastCPU);
    handle.callBoxed(&stack);
  }
  stack[0] = stack[0].toTensor().to(dtype);
}

}  // namespace

Workaround workaroundFor(const std::string& name) {
  for (const Fault& fault : faults()) {
    if (fault.applies && names(fault.operators, name)) return fault.workaround;
  }
  return Workaround::None;
}

void callAround(Workaround workaround, const c10::OperatorHandle& handle, const std::vector<Conversion>& arguments,
                torch::jit::Stack& stack) {
  if (workaround == Workaround::Float32NarrowConvolution && !isNarrowConvolution(stack)) {
    return handle.callBoxed(&stack);
  }
  if (workaround != Workaround::ContiguousGradient) {
    return callInFloat32(workaround != Workaround::Float32, handle, arguments, stack);
  }
  handle.callBoxed(&stack);
  const at::Tensor result = stack[0].toTensor();
  if (result.requires_grad()) result.register_hook([](const at::Tensor& gradient) { return gradient.contiguous(); });
}

std::vector<std::string> activeWorkarounds() {
  std::vector<std::string> lines;
  for (const Fault& fault : faults()) {
    if (fault.applies) lines.push_back(std::string(fault.operators) + ": " + fault.reason + " in libtorch " TORCH_VERSION);
  }
  return lines;
}

}  // namespace bridge
