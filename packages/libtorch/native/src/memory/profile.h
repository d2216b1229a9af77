#pragma once
#include "../environment.h"

namespace bridge {

// Blocks of the caching allocator, told to a profile while one runs.
void profileAllocated(const void* block, size_t bytes);
void profileFreed(const void* block, size_t bytes);

napi_value startProfile(Environment& environment, napi_value* values, size_t count);
napi_value profileModule(Environment& environment, napi_value* values, size_t count);
napi_value stopProfile(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
