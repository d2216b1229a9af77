#pragma once
// A JavaScript function that libtorch calls: a gradient hook, or the body of a checkpoint.
#include "environment.h"

namespace bridge {

// Keeps the function alive as long as it is alive itself. May be destroyed on any thread.
class Callback {
 public:
  Callback(Environment& environment, napi_value function);
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  ~Callback();

  // Calls the function with handles of the tensors, inside a scope of its own. `origin` names them in messages.
  // Returns the tensor whose handle it returns, or an undefined tensor. Throws PendingJavaScriptError for what it
  // throws, ArgumentError on another thread than the environment's.
  at::Tensor call(const std::vector<at::Tensor>& tensors, const char* origin);

 private:
  Environment& environment_;
  napi_ref reference_ = nullptr;
};

}  // namespace bridge
