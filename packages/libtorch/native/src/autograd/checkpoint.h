#pragma once
#include "../errors.h"

namespace bridge {

napi_value checkpoint(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
