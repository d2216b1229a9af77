#pragma once
#include "../errors.h"

namespace bridge {

// defineMetaKernels([operator, ...]): once a process, for tests.
napi_value defineMetaKernels(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
