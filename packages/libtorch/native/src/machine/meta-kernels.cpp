// Shapes on libtorch's device `meta` for operators that have none in C++ (most of Python's torch are written in Python):
// the CPU's kernel runs on zeros of the same shapes. Only tests ask for them: with them a network runs on a device that is
// not the CPU, on any machine.
#include "meta-kernels.h"

#include "../convert.h"

#include <torch/library.h>

namespace bridge {

namespace {

at::Tensor standIn(const at::Tensor& tensor) {
  if (!tensor.defined()) return tensor;
  if (tensor.is_meta())
    return at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(at::kCPU)).zero_();
  // As on every device: scalars of the CPU go along with other devices' tensors.
  TORCH_CHECK(tensor.dim() == 0, "Expected all tensors to be on the same device, but found at least two devices, meta and ",
              tensor.device());
  return tensor;
}

c10::IValue standInFor(const c10::IValue& value) {
  if (value.isTensor()) return standIn(value.toTensor());
  if (value.isTensorList()) {
    std::vector<at::Tensor> tensors;
    for (const at::Tensor& tensor : value.toTensorVector()) tensors.push_back(standIn(tensor));
    return tensors;
  }
  if (value.isOptionalTensorList()) {
    const auto given = value.toOptionalTensorList();
    auto tensors = given.copy();
    for (size_t i = 0; i < given.size(); i++) {
      const auto tensor = given.get(i);
      if (tensor) tensors.set(i, standIn(*tensor));
    }
    return tensors;
  }
  return value;
}

c10::IValue onMeta(const c10::IValue& value) {
  if (!value.isTensor() || !value.toTensor().defined()) return value;
  const at::Tensor tensor = value.toTensor();
  return at::empty_strided(tensor.sizes(), tensor.strides(), tensor.options().device(at::kMeta));
}

// The argument that a result is, for operators that work in place or into `out`.
const at::Tensor* aliased(const c10::FunctionSchema& schema, const c10::Argument& result,
                          const std::vector<c10::IValue>& given) {
  const auto* alias = result.alias_info();
  if (!alias || !alias->isWrite()) return nullptr;
  for (size_t i = 0; i < given.size(); i++) {
    const auto* other = schema.arguments()[i].alias_info();
    if (other && other->beforeSets() == alias->beforeSets()) return &given[i].toTensor();
  }
  return nullptr;
}

void shapesFromCpu(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  const c10::FunctionSchema& schema = op.schema();
  const size_t first = stack->size() - schema.arguments().size();
  const std::vector<c10::IValue> given(stack->begin() + first, stack->end());
  for (size_t i = first; i < stack->size(); i++) {
    (*stack)[i] = standInFor((*stack)[i]);
    if ((*stack)[i].isDevice()) (*stack)[i] = c10::Device(at::kCPU);
  }
  op.callBoxed(stack);
  for (size_t i = 0; i < schema.returns().size(); i++) {
    c10::IValue& result = (*stack)[first + i];
    const at::Tensor* target = aliased(schema, schema.returns()[i], given);
    if (target) target->resize_(result.toTensor().sizes());
    result = target ? c10::IValue(*target) : onMeta(result);
  }
}

}  // namespace

napi_value defineMetaKernels(Environment& environment, napi_value* values, size_t) {
  static torch::Library* library = nullptr; // kernels stay as long as the process
  if (library) return nullptr;
  library = new torch::Library(torch::Library::IMPL, "aten", c10::DispatchKey::Meta, __FILE__, __LINE__);
  for (const std::string& name : stringsOf(environment.env, values[0])) {
    library->impl(name.c_str(), torch::CppFunction::makeFromBoxedFunction<&shapesFromCpu>());
  }
  return nullptr;
}

}  // namespace bridge
