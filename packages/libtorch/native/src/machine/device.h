#pragma once
#include "../errors.h"

namespace bridge {

// gpus() -> [is this libtorch a CUDA build, CUDA devices, whether there is Apple's GPU]
napi_value gpus(Environment& environment, napi_value* values, size_t count);
// synchronize(device): waits for all that the device was given.
napi_value synchronize(Environment& environment, napi_value* values, size_t count);
// deviceMemory(device) -> [bytes in use, most bytes in use], or undefined where libtorch does not count them.
napi_value deviceMemory(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
