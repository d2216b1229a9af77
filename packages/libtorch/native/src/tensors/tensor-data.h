#pragma once
#include "../errors.h"

namespace bridge {

struct Bytes {
  void* data;
  size_t length;
};

// The memory of a typed array.
Bytes bytesOf(napi_env env, napi_value value);
// That of a Uint8Array, and of no other array.
Bytes unsignedBytesOf(napi_env env, napi_value value);

napi_value fromBytes(Environment& environment, napi_value* values, size_t count);
napi_value shareBytes(Environment& environment, napi_value* values, size_t count);
napi_value toDevice(Environment& environment, napi_value* values, size_t count);
napi_value toBytes(Environment& environment, napi_value* values, size_t count);
napi_value item(Environment& environment, napi_value* values, size_t count);
napi_value shape(Environment& environment, napi_value* values, size_t count);
napi_value dtype(Environment& environment, napi_value* values, size_t count);
napi_value device(Environment& environment, napi_value* values, size_t count);
napi_value byteLength(Environment& environment, napi_value* values, size_t count);
napi_value isContiguous(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
