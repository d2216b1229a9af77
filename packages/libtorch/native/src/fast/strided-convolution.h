#pragma once
#include "../environment.h"

namespace bridge {

napi_value fastStridedConvolution(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
