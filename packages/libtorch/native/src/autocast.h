#pragma once
#include "errors.h"

namespace bridge {

napi_value enterAutocast(Environment& environment, napi_value* values, size_t count);
napi_value leaveAutocast(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
