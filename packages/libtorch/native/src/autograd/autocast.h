#pragma once
#include "../errors.h"

namespace bridge {

// Autocast of one type of device, as it is on one thread.
struct AutocastState {
  at::DeviceType device;
  bool enabled;
  at::ScalarType dtype;
};
AutocastState autocastState(at::DeviceType device);
void setAutocastState(const AutocastState& state);

napi_value enterAutocast(Environment& environment, napi_value* values, size_t count);
napi_value leaveAutocast(Environment& environment, napi_value* values, size_t count);
napi_value autocastDtype(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
