#pragma once
// Several processes that compute together: PyTorch's own c10d. A store for what is said once, groups for tensors.
#include "environment.h"

#include <memory>

#if TORCH_VERSION_MAJOR >= 2
#include <torch/csrc/distributed/c10d/Backend.hpp>
#else
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#endif

namespace bridge {

#if TORCH_VERSION_MAJOR >= 2
using CollectiveBackend = c10d::Backend;
#else
using CollectiveBackend = c10d::ProcessGroup;
#endif

struct ProcessGroup {
  c10::intrusive_ptr<CollectiveBackend> backend;
  // Whether its work is queued on the device's stream, where waiting for it costs the host nothing.
  bool onStream = false;

  c10::intrusive_ptr<c10d::Work> allReduceSum(const at::Tensor& tensor);
};

std::shared_ptr<ProcessGroup> processGroupAt(double id);

napi_value backends(Environment&, napi_value*, size_t);
napi_value openStore(Environment&, napi_value*, size_t);
napi_value storePort(Environment&, napi_value*, size_t);
napi_value storeSet(Environment&, napi_value*, size_t);
napi_value storeGet(Environment&, napi_value*, size_t);
napi_value storeCheck(Environment&, napi_value*, size_t);
napi_value storeAdd(Environment&, napi_value*, size_t);
napi_value storeDelete(Environment&, napi_value*, size_t);
napi_value closeStore(Environment&, napi_value*, size_t);
napi_value openGroup(Environment&, napi_value*, size_t);
napi_value closeGroup(Environment&, napi_value*, size_t);
napi_value allReduce(Environment&, napi_value*, size_t);
napi_value broadcastTensor(Environment&, napi_value*, size_t);
napi_value allGather(Environment&, napi_value*, size_t);
napi_value reduceScatter(Environment&, napi_value*, size_t);
napi_value barrier(Environment&, napi_value*, size_t);

}  // namespace bridge
