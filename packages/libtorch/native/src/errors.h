#pragma once
// C++ exceptions become JavaScript TorchErrors; nothing else leaves the bridge.
#include "environment.h"

#include <string>

namespace bridge {

// A JavaScript exception is already pending; C++ only has to unwind.
struct PendingJavaScriptError : std::exception {
  const char* what() const noexcept override { return "a JavaScript exception is pending"; }
};

// A mistake in an argument that the bridge finds before libtorch sees it.
struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::string describe(const at::Tensor& tensor);
std::string describeJavaScript(napi_env env, napi_value value);

// Call inside a catch (...): turns the current exception into a pending TorchError.
void throwCurrent(napi_env env, const std::string& operation, const std::string& arguments = "") noexcept;

void check(napi_env env, napi_status status);

// The addon's functions: body(env, arguments, count) with every exception converted.
constexpr size_t kMaximumArguments = 32;
template <napi_value (*body)(Environment&, napi_value*, size_t)>
napi_value guarded(napi_env env, napi_callback_info info) {
  void* name = nullptr;
  try {
    napi_value arguments[kMaximumArguments];
    size_t count = kMaximumArguments;
    check(env, napi_get_cb_info(env, info, &count, arguments, nullptr, &name));
    return body(environmentOf(env), arguments, count);
  } catch (...) {
    throwCurrent(env, name ? static_cast<const char*>(name) : "bridge");
    return nullptr;
  }
}

}  // namespace bridge
