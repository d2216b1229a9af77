// Autocast: matrix products and convolutions in a lower precision, reductions in float32, per device type.
#include "autocast.h"

#include "../convert.h"

namespace bridge {

namespace {

#if TORCH_VERSION_MAJOR >= 2 && (TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 4)
// A device without autocast, such as `meta`, never has it on.
bool has(at::DeviceType type) { return type != at::kMeta; }
bool isEnabled(at::DeviceType type) { return has(type) && at::autocast::is_autocast_enabled(type); }
void setEnabled(at::DeviceType type, bool enabled) {
  if (has(type) || enabled) at::autocast::set_autocast_enabled(type, enabled);
}
at::ScalarType dtypeFor(at::DeviceType type) { return has(type) ? at::autocast::get_autocast_dtype(type) : at::kBFloat16; }
void setDtype(at::DeviceType type, at::ScalarType dtype) {
  if (has(type)) at::autocast::set_autocast_dtype(type, dtype);
}
#else
bool isEnabled(at::DeviceType type) {
  return type == at::kCPU ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
}
void setEnabled(at::DeviceType type, bool enabled) {
  type == at::kCPU ? at::autocast::set_cpu_enabled(enabled) : at::autocast::set_enabled(enabled);
}
at::ScalarType dtypeFor(at::DeviceType type) {
  return type == at::kCPU ? at::autocast::get_autocast_cpu_dtype() : at::autocast::get_autocast_gpu_dtype();
}
void setDtype(at::DeviceType type, at::ScalarType dtype) {
  type == at::kCPU ? at::autocast::set_autocast_cpu_dtype(dtype) : at::autocast::set_autocast_gpu_dtype(dtype);
}
#endif

}  // namespace

AutocastState autocastState(at::DeviceType device) { return {device, isEnabled(device), dtypeFor(device)}; }

void setAutocastState(const AutocastState& state) {
  setDtype(state.device, state.dtype);
  setEnabled(state.device, state.enabled);
}

// enterAutocast(device, dtype, enabled) -> [was enabled, former dtype], to be given to leaveAutocast
napi_value enterAutocast(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const at::DeviceType type = c10::Device(stringOf(env, values[0])).type();
  const AutocastState state = {type, booleanOf(env, values[2]), dtypeNamed(stringOf(env, values[1]))};
  const AutocastState former = autocastState(type);
  napi_value before, flag;
  check(env, napi_create_array_with_length(env, 2, &before));
  check(env, napi_get_boolean(env, former.enabled, &flag));
  check(env, napi_set_element(env, before, 0, flag));
  check(env, napi_set_element(env, before, 1, stringValue(env, dtypeName(former.dtype))));
  setAutocastState(state);
  at::autocast::increment_nesting();
  return before;
}

// leaveAutocast(device, former dtype, was enabled)
napi_value leaveAutocast(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const at::DeviceType type = c10::Device(stringOf(env, values[0])).type();
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  setAutocastState({type, booleanOf(env, values[2]), dtypeNamed(stringOf(env, values[1]))});
  return nullptr;
}

// autocastDtype(device) -> what autocast computes in there, undefined where it is off
napi_value autocastDtype(Environment& environment, napi_value* values, size_t) {
  const AutocastState state = autocastState(c10::Device(stringOf(environment.env, values[0])).type());
  return state.enabled ? stringValue(environment.env, dtypeName(state.dtype)) : nullptr;
}

}  // namespace bridge
