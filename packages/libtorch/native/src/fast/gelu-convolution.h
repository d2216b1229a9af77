#pragma once
#include "../environment.h"

namespace bridge {

napi_value fastGeluConvolution(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
