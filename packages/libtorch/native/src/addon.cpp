// The addon's table of functions. Context-aware: each Node.js environment gets its own Environment.
#include "autograd/autocast.h"
#include "autograd/autograd.h"
#include "autograd/checkpoint.h"
#include "convert.h"
#include "dispatch.h"
#include "distributed/process-group.h"
#include "distributed/reducer.h"
#include "fast/attention.h"
#include "fast/dropout.h"
#include "fast/gelu-convolution.h"
#include "fast/long-convolution.h"
#include "fast/matmul.h"
#include "fast/strided-convolution.h"
#include "machine/device.h"
#include "machine/meta-kernels.h"
#include "machine/runtime.h"
#include "memory/caching-allocator.h"
#include "memory/profile.h"
#include "tensors/mapped-file.h"
#include "tensors/snapshot.h"
#include "tensors/tensor-data.h"
#include "tensors/tensor-files.h"
#include "tensors/transfers.h"

namespace bridge {

namespace {

napi_value setErrorClass(Environment& environment, napi_value* values, size_t) {
  check(environment.env, napi_create_reference(environment.env, values[0], 1, &environment.torchError));
  return nullptr;
}

napi_value freeTensor(Environment& environment, napi_value* values, size_t) {
  environment.free(numberOf(environment.env, values[0]));
  return nullptr;
}

napi_value isLive(Environment& environment, napi_value* values, size_t) {
  napi_value result;
  const bool live = environment.find(numberOf(environment.env, values[0])) != nullptr;
  check(environment.env, napi_get_boolean(environment.env, live, &result));
  return result;
}

napi_value enterScope(Environment& environment, napi_value*, size_t) {
  environment.enterScope();
  return nullptr;
}

// leaveScope(handles to keep)
napi_value leaveScope(Environment& environment, napi_value* values, size_t) {
  const std::vector<Handle> kept = handlesOf(environment.env, values[0]);
  environment.leaveScope(kept);
  environment.releaseReferences();
  return nullptr;
}

// persist(handle) -> whether it was not persistent before
napi_value persist(Environment& environment, napi_value* values, size_t) {
  napi_value result;
  const bool changed = environment.persist(numberOf(environment.env, values[0]));
  check(environment.env, napi_get_boolean(environment.env, changed, &result));
  return result;
}

// adjustExternalMemory(bytes): tells V8 what a tensor outside scopes weighs, so that it collects in time.
napi_value adjustExternalMemory(Environment& environment, napi_value* values, size_t) {
  int64_t total = 0;
  check(environment.env, napi_adjust_external_memory(environment.env, integerOf(environment.env, values[0]), &total));
  return nullptr;
}

void define(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  check(env, napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, const_cast<char*>(name), &function));
  check(env, napi_set_named_property(env, exports, name, function));
}

napi_value initialise(napi_env env, napi_value exports) {
  installCachingAllocator();
  installFastMatmul();
  endWithoutDestructors();
  auto* environment = new Environment(env);
  napi_set_instance_data(env, environment, [](napi_env, void* data, void*) { delete static_cast<Environment*>(data); },
                         nullptr);
  define(env, exports, "setErrorClass", guarded<setErrorClass>);
  define(env, exports, "lookup", guarded<lookup>);
  define(env, exports, "operatorNames", guarded<operatorNames>);
  define(env, exports, "schema", guarded<schema>);
  define(env, exports, "call", call);
  define(env, exports, "applyInPlace", applyInPlace);
  define(env, exports, "workarounds", guarded<workarounds>);
  define(env, exports, "free", guarded<freeTensor>);
  define(env, exports, "isLive", guarded<isLive>);
  define(env, exports, "enterScope", guarded<enterScope>);
  define(env, exports, "leaveScope", guarded<leaveScope>);
  define(env, exports, "persist", guarded<persist>);
  define(env, exports, "adjustExternalMemory", guarded<adjustExternalMemory>);
  define(env, exports, "fromBytes", guarded<fromBytes>);
  define(env, exports, "shareBytes", guarded<shareBytes>);
  define(env, exports, "toBytes", guarded<toBytes>);
  define(env, exports, "readFiles", guarded<readFiles>);
  define(env, exports, "snapshot", guarded<snapshot>);
  define(env, exports, "mapFile", guarded<mapFile>);
  define(env, exports, "toDevice", guarded<toDevice>);
  define(env, exports, "item", guarded<item>);
  define(env, exports, "shape", guarded<shape>);
  define(env, exports, "dtype", guarded<dtype>);
  define(env, exports, "device", guarded<device>);
  define(env, exports, "byteLength", guarded<byteLength>);
  define(env, exports, "isContiguous", guarded<isContiguous>);
  define(env, exports, "requiresGrad", guarded<requiresGrad>);
  define(env, exports, "setRequiresGrad", guarded<setRequiresGrad>);
  define(env, exports, "gradient", guarded<gradient>);
  define(env, exports, "setGradient", guarded<setGradient>);
  define(env, exports, "backward", guarded<backward>);
  define(env, exports, "gradientsOf", guarded<gradientsOf>);
  define(env, exports, "setGradMode", guarded<setGradMode>);
  define(env, exports, "registerHook", guarded<registerHook>);
  define(env, exports, "removeHook", guarded<removeHook>);
  define(env, exports, "checkpoint", guarded<checkpoint>);
  define(env, exports, "fastDropout", guarded<fastDropout>);
  define(env, exports, "fastAttention", guarded<fastAttention>);
  define(env, exports, "fastGeluConvolution", guarded<fastGeluConvolution>);
  define(env, exports, "fastLongConvolution", guarded<fastLongConvolution>);
  define(env, exports, "longConvolutionSpectra", guarded<longConvolutionSpectra>);
  define(env, exports, "fastStridedConvolution", guarded<fastStridedConvolution>);
  define(env, exports, "enterAutocast", guarded<enterAutocast>);
  define(env, exports, "leaveAutocast", guarded<leaveAutocast>);
  define(env, exports, "autocastDtype", guarded<autocastDtype>);
  define(env, exports, "information", guarded<information>);
  define(env, exports, "setThreads", guarded<setThreads>);
  define(env, exports, "setFlushDenormal", guarded<setFlushDenormal>);
  define(env, exports, "seed", guarded<seed>);
  define(env, exports, "randomState", guarded<randomState>);
  define(env, exports, "setRandomState", guarded<setRandomState>);
  define(env, exports, "gpus", guarded<gpus>);
  define(env, exports, "synchronize", guarded<synchronize>);
  define(env, exports, "deviceMemory", guarded<deviceMemory>);
  define(env, exports, "defineMetaKernels", guarded<defineMetaKernels>);
  define(env, exports, "uniform", guarded<uniform>);
  define(env, exports, "transferCounts", guarded<transferCounts>);
  define(env, exports, "resetTransferCounts", guarded<resetTransferCounts>);
  define(env, exports, "memory", guarded<memory>);
  define(env, exports, "releaseMemory", guarded<releaseMemory>);
  define(env, exports, "startProfile", guarded<startProfile>);
  define(env, exports, "profileModule", guarded<profileModule>);
  define(env, exports, "stopProfile", guarded<stopProfile>);
  define(env, exports, "backends", guarded<backends>);
  define(env, exports, "openStore", guarded<openStore>);
  define(env, exports, "storePort", guarded<storePort>);
  define(env, exports, "storeSet", guarded<storeSet>);
  define(env, exports, "storeGet", guarded<storeGet>);
  define(env, exports, "storeCheck", guarded<storeCheck>);
  define(env, exports, "storeAdd", guarded<storeAdd>);
  define(env, exports, "storeDelete", guarded<storeDelete>);
  define(env, exports, "closeStore", guarded<closeStore>);
  define(env, exports, "openGroup", guarded<openGroup>);
  define(env, exports, "closeGroup", guarded<closeGroup>);
  define(env, exports, "allReduce", guarded<allReduce>);
  define(env, exports, "broadcastTensor", guarded<broadcastTensor>);
  define(env, exports, "allGather", guarded<allGather>);
  define(env, exports, "reduceScatter", guarded<reduceScatter>);
  define(env, exports, "barrier", guarded<barrier>);
  define(env, exports, "openReducer", guarded<openReducer>);
  define(env, exports, "closeReducer", guarded<closeReducer>);
  define(env, exports, "reducerBegin", guarded<reducerBegin>);
  define(env, exports, "reducerSend", guarded<reducerSend>);
  define(env, exports, "reducerFinish", guarded<reducerFinish>);
  define(env, exports, "reducerArrived", guarded<reducerArrived>);
  define(env, exports, "reducerAssign", guarded<reducerAssign>);
  define(env, exports, "reducerOrder", guarded<reducerOrder>);
  define(env, exports, "reducerArrange", guarded<reducerArrange>);
  define(env, exports, "reducerTrace", guarded<reducerTrace>);
  define(env, exports, "digestOf", guarded<digestOf>);
  return exports;
}

}  // namespace

}  // namespace bridge

NAPI_MODULE_INIT() {
  try {
    return bridge::initialise(env, exports);
  } catch (const std::exception& error) {
    napi_throw_error(env, nullptr, error.what());
    return nullptr;
  }
}
