// The devices of this process beside the CPU, without any vendor's headers.
#include "device.h"

#include "../convert.h"

#include <ATen/detail/CUDAHooksInterface.h>
#if TORCH_VERSION_MAJOR >= 2
#include <ATen/detail/MPSHooksInterface.h>
#endif

#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 9)
#include <ATen/DeviceAccelerator.h>
#define BRIDGE_HAS_ACCELERATOR 1
#endif

namespace bridge {

napi_value gpus(Environment& environment, napi_value*, size_t) {
  napi_env env = environment.env;
#ifdef BRIDGE_WITH_CUDA
  constexpr bool built = true;
#else
  constexpr bool built = false;
#endif
  const int64_t count = at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
  napi_value list;
  check(env, napi_create_array_with_length(env, 3, &list));
  check(env, napi_set_element(env, list, 0, booleanValue(env, built)));
  check(env, napi_set_element(env, list, 1, numberValue(env, static_cast<double>(count))));
  check(env, napi_set_element(env, list, 2, booleanValue(env, at::hasMPS())));
  return list;
}

napi_value synchronize(Environment& environment, napi_value* values, size_t) {
  const c10::Device device(stringOf(environment.env, values[0]));
  if (device.is_cuda()) {
    const auto& hooks = at::detail::getCUDAHooks();
    hooks.deviceSynchronize(device.has_index() ? device.index() : hooks.current_device());
  }
#if TORCH_VERSION_MAJOR >= 2
  if (device.is_mps()) at::detail::getMPSHooks().deviceSynchronize();
#endif
  return nullptr;
}

napi_value deviceMemory(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  [[maybe_unused]] const c10::Device device(stringOf(env, values[0]));
  napi_value result;
  check(env, napi_get_undefined(env, &result));
#ifdef BRIDGE_HAS_ACCELERATOR
  if (device.is_cuda()) {
    const auto index = device.has_index() ? device.index() : at::accelerator::getDeviceIndex();
    const auto stats = at::accelerator::getDeviceStats(index);
    const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    const auto& bytes = stats.allocated_bytes[all];
    result = numbersValue(env, {static_cast<double>(bytes.current), static_cast<double>(bytes.peak)});
  }
#endif
  return result;
}

}  // namespace bridge
