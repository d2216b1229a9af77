// The process around the tensors: version, threads, random state, memory.
#include "runtime.h"

#include "../convert.h"
#include "../memory/caching-allocator.h"
#include "../tensors/tensor-data.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>

// Node.js's own of the end, which would run behind libtorch's destructors: terminals and pipes are as they were again.
namespace node {
[[gnu::weak]] void ResetStdio();
}

namespace bridge {

namespace {

void set(napi_env env, napi_value object, const char* key, napi_value value) {
  check(env, napi_set_named_property(env, object, key, value));
}

void setNumber(napi_env env, napi_value object, const char* key, double number) {
  set(env, object, key, numberValue(env, number));
}

// "AVX2", "AVX512", ...: which kernels libtorch chose for this processor.
std::string cpuCapability() {
  const std::string configuration = at::show_config();
  const std::string key = "CPU capability usage: ";
  const size_t start = configuration.find(key);
  if (start == std::string::npos) return "unknown";
  const size_t from = start + key.size();
  return configuration.substr(from, configuration.find('\n', from) - from);
}

// What libtorch says of its CUDA: empty for a build without, and its version alone where no driver runs it.
std::string cudaConfiguration() {
  const auto& hooks = at::detail::getCUDAHooks();
  if (!hooks.hasCUDART()) return "";
  try {
    return hooks.showConfig();
  } catch (const c10::Error&) {
    const int64_t version = hooks.versionCUDART();
    return "CUDA Runtime " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  }
}

at::Generator generatorFor(napi_env env, napi_value device) {
  return at::globalContext().defaultGenerator(c10::Device(stringOf(env, device)));
}

}  // namespace

void endWithoutDestructors() {
#if defined(__GLIBC__)
  if (!node::ResetStdio) return;
  // Called before the destructors of what was loaded before, which are libtorch's.
  [[maybe_unused]] static const int registered = on_exit(
      [](int status, void*) {
        node::ResetStdio();
        std::fflush(nullptr);
        _exit(status);
      },
      nullptr);
#endif
}

napi_value information(Environment& environment, napi_value*, size_t) {
  napi_env env = environment.env;
  napi_value object;
  check(env, napi_create_object(env, &object));
  set(env, object, "version", stringValue(env, TORCH_VERSION));
  set(env, object, "cpuCapability", stringValue(env, cpuCapability()));
  set(env, object, "cudaConfiguration", stringValue(env, cudaConfiguration()));
  set(env, object, "parallel", stringValue(env, at::get_parallel_info()));
  setNumber(env, object, "threads", at::get_num_threads());
  return object;
}

napi_value setThreads(Environment& environment, napi_value* values, size_t) {
  const int64_t threads = integerOf(environment.env, values[0]);
  if (threads < 1 || threads > 1024) {
    throw ArgumentError("the number of threads must be 1 to 1024, but is " + std::to_string(threads));
  }
  at::set_num_threads(static_cast<int>(threads));
  return nullptr;
}

napi_value setFlushDenormal(Environment& environment, napi_value* values, size_t) {
  return booleanValue(environment.env, at::globalContext().setFlushDenormal(booleanOf(environment.env, values[0])));
}

napi_value seed(Environment& environment, napi_value* values, size_t) {
  at::manual_seed(static_cast<uint64_t>(integerOf(environment.env, values[0])));
  return nullptr;
}

// randomState(device) -> handle of the generator's state (uint8)
napi_value randomState(Environment& environment, napi_value* values, size_t) {
  return handleValue(environment, generatorFor(environment.env, values[0]).get_state());
}

// setRandomState(device, handle)
napi_value setRandomState(Environment& environment, napi_value* values, size_t) {
  generatorFor(environment.env, values[0]).set_state(tensorOf(environment, values[1]));
  return nullptr;
}

// uniform(Float32Array): fills it with what rand() draws on the CPU, without a tensor in between.
napi_value uniform(Environment& environment, napi_value* values, size_t) {
  const Bytes bytes = bytesOf(environment.env, values[0]);
  const at::Tensor drawn = at::rand({static_cast<int64_t>(bytes.length / sizeof(float))});
  std::memcpy(bytes.data, drawn.data_ptr(), drawn.nbytes());
  return nullptr;
}

napi_value memory(Environment& environment, napi_value*, size_t) {
  napi_env env = environment.env;
  const CacheStatistics statistics = cacheStatistics();
  napi_value object;
  check(env, napi_create_object(env, &object));
  setNumber(env, object, "liveTensors", environment.liveTensors());
  setNumber(env, object, "liveBytes", statistics.liveBytes);
  setNumber(env, object, "peakBytes", statistics.peakLiveBytes);
  setNumber(env, object, "cachedBytes", statistics.cachedBytes);
  return object;
}

napi_value releaseMemory(Environment&, napi_value*, size_t) {
  emptyCache();
  return nullptr;
}

}  // namespace bridge
