#pragma once
// Gradients of several processes, summed while the backward pass still runs.
#include "../environment.h"

namespace bridge {

napi_value openReducer(Environment&, napi_value*, size_t);
napi_value closeReducer(Environment&, napi_value*, size_t);
napi_value reducerBegin(Environment&, napi_value*, size_t);
napi_value reducerSend(Environment&, napi_value*, size_t);
napi_value reducerFinish(Environment&, napi_value*, size_t);
napi_value reducerArrived(Environment&, napi_value*, size_t);
napi_value reducerAssign(Environment&, napi_value*, size_t);
napi_value reducerOrder(Environment&, napi_value*, size_t);
napi_value reducerArrange(Environment&, napi_value*, size_t);
napi_value reducerTrace(Environment&, napi_value*, size_t);
napi_value digestOf(Environment&, napi_value*, size_t);

}  // namespace bridge
