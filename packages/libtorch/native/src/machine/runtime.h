#pragma once
#include "../errors.h"

namespace bridge {

// Makes the process end without taking libtorch apart: its thousands of operators are struck off one by one otherwise,
// a tenth of a second, while other threads may still compute.
void endWithoutDestructors();

napi_value information(Environment& environment, napi_value* values, size_t count);
napi_value setThreads(Environment& environment, napi_value* values, size_t count);
napi_value setFlushDenormal(Environment& environment, napi_value* values, size_t count);
napi_value seed(Environment& environment, napi_value* values, size_t count);
napi_value randomState(Environment& environment, napi_value* values, size_t count);
napi_value setRandomState(Environment& environment, napi_value* values, size_t count);
napi_value uniform(Environment& environment, napi_value* values, size_t count);
napi_value memory(Environment& environment, napi_value* values, size_t count);
napi_value releaseMemory(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
