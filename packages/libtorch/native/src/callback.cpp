#include "callback.h"

#include "convert.h"

namespace bridge {

Callback::Callback(Environment& environment, napi_value function) : environment_(environment) {
  check(environment.env, napi_create_reference(environment.env, function, 1, &reference_));
}

Callback::~Callback() { environment_.releaseLater(reference_); }

at::Tensor Callback::call(const std::vector<at::Tensor>& tensors, const char* origin) {
  if (std::this_thread::get_id() != environment_.thread) {
    throw ArgumentError("JavaScript must run on the thread that called backward, but libtorch runs this part of the "
                        "backward pass on another. Use gradient hooks with CPU tensors, and nest at most 60 checkpoints");
  }
  napi_env env = environment_.env;
  napi_handle_scope scope;
  check(env, napi_open_handle_scope(env, &scope));
  environment_.enterScope();
  at::Tensor returned;
  try {
    environment_.origin = origin;
    napi_value function, undefined, result;
    std::vector<napi_value> handles;
    for (const at::Tensor& tensor : tensors) handles.push_back(handleValue(environment_, tensor));
    check(env, napi_get_reference_value(env, reference_, &function));
    check(env, napi_get_undefined(env, &undefined));
    check(env, napi_call_function(env, undefined, function, handles.size(), handles.data(), &result));
    napi_valuetype type;
    check(env, napi_typeof(env, result, &type));
    if (type == napi_number) returned = tensorOf(environment_, result);
  } catch (...) {
    environment_.leaveScope({});
    napi_close_handle_scope(env, scope);
    throw;
  }
  environment_.leaveScope({});
  napi_close_handle_scope(env, scope);
  return returned;
}

}  // namespace bridge
