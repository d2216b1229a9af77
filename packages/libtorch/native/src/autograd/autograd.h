#pragma once
#include "../errors.h"

namespace bridge {

napi_value requiresGrad(Environment& environment, napi_value* values, size_t count);
napi_value setRequiresGrad(Environment& environment, napi_value* values, size_t count);
napi_value gradient(Environment& environment, napi_value* values, size_t count);
napi_value setGradient(Environment& environment, napi_value* values, size_t count);
napi_value backward(Environment& environment, napi_value* values, size_t count);
napi_value gradientsOf(Environment& environment, napi_value* values, size_t count);
napi_value setGradMode(Environment& environment, napi_value* values, size_t count);
napi_value registerHook(Environment& environment, napi_value* values, size_t count);
napi_value removeHook(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
