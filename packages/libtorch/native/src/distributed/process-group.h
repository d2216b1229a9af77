#pragma once
// Several processes that compute together: PyTorch's own c10d. A store for what is said once, groups for tensors.
#include "../promise.h"

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

using WorkPointer = c10::intrusive_ptr<c10d::Work>;

struct ProcessGroup {
  c10::intrusive_ptr<CollectiveBackend> backend;
  // Whether its work is queued on the device's stream, where waiting for it costs the host nothing.
  bool onStream = false;

  WorkPointer allReduce(const at::Tensor& tensor, c10d::ReduceOp reduction = c10d::ReduceOp::SUM) const;
  // A promise of the outcome, behind works of this group that were started: awaited on another thread where that blocks.
  napi_value awaited(Environment& environment, const char* operation, const std::vector<WorkPointer>& works,
                     Outcome outcome = nothing()) const;
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
