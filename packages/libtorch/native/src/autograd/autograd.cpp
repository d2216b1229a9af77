// Autograd: what a tensor records, the backward pass, and JavaScript hooks on gradients.
#include "autograd.h"

#include "../callback.h"
#include "../convert.h"

namespace bridge {

namespace {

std::vector<at::Tensor> tensorsOf(Environment& environment, napi_value array) {
  std::vector<at::Tensor> tensors;
  for (Handle handle : handlesOf(environment.env, array)) {
    if (handle == 0) {
      tensors.emplace_back();
      continue;
    }
    const at::Tensor* tensor = environment.find(handle);
    if (!tensor) throw ArgumentError("must be given live Tensors, but " + environment.describeFreed(handle));
    tensors.push_back(*tensor);
  }
  return tensors;
}

}  // namespace

napi_value requiresGrad(Environment& environment, napi_value* values, size_t) {
  return booleanValue(environment.env, tensorOf(environment, values[0]).requires_grad());
}

napi_value setRequiresGrad(Environment& environment, napi_value* values, size_t) {
  tensorOf(environment, values[0]).set_requires_grad(booleanOf(environment.env, values[1]));
  return nullptr;
}

// gradient(handle) -> handle of the accumulated gradient, or undefined.
napi_value gradient(Environment& environment, napi_value* values, size_t) {
  environment.origin = "grad";
  return handleValue(environment, tensorOf(environment, values[0]).grad());
}

// setGradient(handle, gradient or undefined)
napi_value setGradient(Environment& environment, napi_value* values, size_t) {
  const at::Tensor& tensor = tensorOf(environment, values[0]);
  napi_valuetype type;
  check(environment.env, napi_typeof(environment.env, values[1], &type));
  if (type == napi_undefined) {
    tensor.mutable_grad() = at::Tensor();
    return nullptr;
  }
  const at::Tensor& gradient = tensorOf(environment, values[1]);
  if (gradient.sizes() != tensor.sizes() || gradient.scalar_type() != tensor.scalar_type() ||
      gradient.device() != tensor.device()) {
    throw ArgumentError("a gradient must be " + describe(tensor) + " as its tensor, but is " + describe(gradient));
  }
  tensor.mutable_grad() = gradient;
  return nullptr;
}

// backward(handles, gradient handles with 0 for none, retainGraph, createGraph)
napi_value backward(Environment& environment, napi_value* values, size_t) {
  environment.releaseReferences();
  torch::autograd::backward(tensorsOf(environment, values[0]), tensorsOf(environment, values[1]),
                            booleanOf(environment.env, values[2]), booleanOf(environment.env, values[3]));
  return nullptr;
}

// gradientsOf(outputs, inputs, gradient handles, retainGraph, createGraph, allowUnused) -> handles
napi_value gradientsOf(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const auto gradients = torch::autograd::grad(
      tensorsOf(environment, values[0]), tensorsOf(environment, values[1]), tensorsOf(environment, values[2]),
      booleanOf(env, values[3]), booleanOf(env, values[4]), booleanOf(env, values[5]));
  environment.origin = "grad";
  napi_value result;
  check(env, napi_create_array_with_length(env, gradients.size(), &result));
  for (size_t i = 0; i < gradients.size(); i++) {
    check(env, napi_set_element(env, result, i, handleValue(environment, gradients[i])));
  }
  return result;
}

// setGradMode(enabled) -> what it was
napi_value setGradMode(Environment& environment, napi_value* values, size_t) {
  const bool before = at::GradMode::is_enabled();
  at::GradMode::set_enabled(booleanOf(environment.env, values[0]));
  return booleanValue(environment.env, before);
}

// registerHook(handle, function(gradient handle) -> replacement handle or undefined) -> hook id
napi_value registerHook(Environment& environment, napi_value* values, size_t) {
  environment.releaseReferences();
  const at::Tensor& tensor = tensorOf(environment, values[0]);
  if (!tensor.requires_grad()) {
    throw ArgumentError("a tensor with a gradient hook must require a gradient, but " + describe(tensor) + " does not");
  }
  auto hook = std::make_shared<Callback>(environment, values[1]);
  const unsigned id = tensor.register_hook([hook](const at::Tensor& gradient) -> at::Tensor {
    at::Tensor replacement = hook->call({gradient}, "grad");
    return replacement.defined() ? replacement : gradient;
  });
  napi_value result;
  check(environment.env, napi_create_uint32(environment.env, id, &result));
  return result;
}

// removeHook(handle, hook id)
napi_value removeHook(Environment& environment, napi_value* values, size_t) {
  tensorOf(environment, values[0]).remove_hook(static_cast<unsigned>(integerOf(environment.env, values[1])));
  environment.releaseReferences();
  return nullptr;
}

}  // namespace bridge
