#pragma once
#include "errors.h"

namespace bridge {

napi_value lookup(Environment& environment, napi_value* values, size_t count);
napi_value operatorNames(Environment& environment, napi_value* values, size_t count);
napi_value schema(Environment& environment, napi_value* values, size_t count);
napi_value call(napi_env env, napi_callback_info info);
napi_value applyInPlace(napi_env env, napi_callback_info info);
napi_value workarounds(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
