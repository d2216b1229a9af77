// Stores and collectives of PyTorch's distributed engine, c10d. The only source that knows its backends.
#include "process-group.h"

#include "../convert.h"
#include "../promise.h"
#include "../registry.h"
#include "../tensors/tensor-data.h"

#include <algorithm>
#include <chrono>
#include <functional>

// Compile definitions of PyTorch's own build, without which the backends' headers are empty.
#define USE_C10D_GLOO
#ifdef LIBTORCH_BRIDGE_NCCL
#define USE_C10D_NCCL
#define USE_CUDA
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace bridge {

namespace {

using StorePointer = c10::intrusive_ptr<c10d::TCPStore>;
using GroupPointer = std::shared_ptr<ProcessGroup>;

Registry<StorePointer>& stores() {
  static auto* registry = new Registry<StorePointer>("a store");
  return *registry;
}

Registry<GroupPointer>& groups() {
  static auto* registry = new Registry<GroupPointer>("a process group");
  return *registry;
}

std::chrono::milliseconds millisecondsOf(napi_env env, napi_value value) {
  return std::chrono::milliseconds(integerOf(env, value));
}

Outcome numberOutcome(double value) {
  return [value](Environment& environment) { return numberValue(environment.env, value); };
}

Outcome booleanOutcome(bool value) {
  return [value](Environment& environment) { return booleanValue(environment.env, value); };
}

std::vector<uint8_t> valueOf(napi_env env, napi_value value) {
  const Bytes bytes = unsignedBytesOf(env, value);
  const auto* data = static_cast<const uint8_t*>(bytes.data);
  return std::vector<uint8_t>(data, data + bytes.length);
}

const std::pair<const char*, c10d::ReduceOp::RedOpType> kReductions[] = {
    {"sum", c10d::ReduceOp::SUM}, {"min", c10d::ReduceOp::MIN}, {"max", c10d::ReduceOp::MAX}};

c10d::ReduceOp reductionNamed(const std::string& name) {
  for (const auto& [known, reduction] : kReductions) {
    if (name == known) return reduction;
  }
  throw ArgumentError("a reduction must be sum, min or max, but is '" + name + "'");
}

// A collective works on one block of memory, in place.
const at::Tensor& dense(const at::Tensor& tensor) {
  if (!tensor.is_contiguous()) {
    throw ArgumentError("a tensor to exchange must be contiguous, but " + describe(tensor) + " is not");
  }
  return tensor;
}

}  // namespace

std::shared_ptr<ProcessGroup> processGroupAt(double id) { return groups().at(id); }

WorkPointer ProcessGroup::allReduce(const at::Tensor& tensor, c10d::ReduceOp reduction) const {
  std::vector<at::Tensor> tensors = {tensor};
  c10d::AllreduceOptions options;
  options.reduceOp = reduction;
  return backend->allreduce(tensors, options);
}

napi_value ProcessGroup::awaited(Environment& environment, const char* operation, const std::vector<WorkPointer>& works,
                                 Outcome outcome) const {
  const auto wait = [works] {
    for (const WorkPointer& work : works) work->wait();
  };
  if (onStream) {
    wait();  // the device's stream waits, the host does not
    return resolved(environment, operation, outcome);
  }
  return promised(environment, operation, [wait, outcome] {
    wait();
    return outcome;
  });
}

// backends() -> the names of those that groups can be made of
napi_value backends(Environment& environment, napi_value*, size_t) {
  napi_env env = environment.env;
  napi_value names;
  check(env, napi_create_array(env, &names));
  check(env, napi_set_element(env, names, 0, stringValue(env, "gloo")));
#ifdef LIBTORCH_BRIDGE_NCCL
  check(env, napi_set_element(env, names, 1, stringValue(env, "nccl")));
#endif
  return names;
}

// openStore(host, port, hosts it, time-out in ms) -> promise of its id
napi_value openStore(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const std::string host = stringOf(env, values[0]);
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(integerOf(env, values[1]));
  options.isServer = booleanOf(env, values[2]);
  options.timeout = millisecondsOf(env, values[3]);
  options.waitWorkers = false;
  return promised(environment, "TCPStore", [host, options] {
    return numberOutcome(stores().add(c10::make_intrusive<c10d::TCPStore>(host, options)));
  });
}

// storePort(store) -> the port it listens at or is connected to
napi_value storePort(Environment& environment, napi_value* values, size_t) {
  return numberValue(environment.env, stores().at(numberOf(environment.env, values[0]))->getPort());
}

// storeSet(store, key, bytes) -> promise
napi_value storeSet(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const StorePointer store = stores().at(numberOf(env, values[0]));
  return promised(environment, "TCPStore.set", [store, key = stringOf(env, values[1]), value = valueOf(env, values[2])] {
    store->set(key, value);
    return nothing();
  });
}

// storeGet(store, key) -> promise of bytes; of a key that is there, since waiting would keep others from the store
napi_value storeGet(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const StorePointer store = stores().at(numberOf(env, values[0]));
  return promised(environment, "TCPStore.get", [store, key = stringOf(env, values[1])]() -> Outcome {
    const auto value = std::make_shared<std::vector<uint8_t>>(store->get(key));
    return [value](Environment& environment) {
      napi_value buffer, array;
      void* data = nullptr;
      check(environment.env, napi_create_arraybuffer(environment.env, value->size(), &data, &buffer));
      std::copy(value->begin(), value->end(), static_cast<uint8_t*>(data));
      check(environment.env,
            napi_create_typedarray(environment.env, napi_uint8_array, value->size(), buffer, 0, &array));
      return array;
    };
  });
}

// storeCheck(store, keys) -> promise of whether all are there
napi_value storeCheck(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const StorePointer store = stores().at(numberOf(env, values[0]));
  return promised(environment, "TCPStore.check", [store, keys = stringsOf(env, values[1])] {
    return booleanOutcome(store->check(keys));
  });
}

// storeAdd(store, key, amount) -> promise of the sum
napi_value storeAdd(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const StorePointer store = stores().at(numberOf(env, values[0]));
  return promised(environment, "TCPStore.add", [store, key = stringOf(env, values[1]), by = integerOf(env, values[2])] {
    return numberOutcome(static_cast<double>(store->add(key, by)));
  });
}

// storeDelete(store, key) -> promise of whether it was there
napi_value storeDelete(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const StorePointer store = stores().at(numberOf(env, values[0]));
  return promised(environment, "TCPStore.deleteKey", [store, key = stringOf(env, values[1])] {
    return booleanOutcome(store->deleteKey(key));
  });
}

// closeStore(store) -> promise
napi_value closeStore(Environment& environment, napi_value* values, size_t) {
  const double id = numberOf(environment.env, values[0]);
  return promised(environment, "TCPStore.close", [id] {
    stores().remove(id);
    return nothing();
  });
}

// openGroup(store, prefix, rank, size, backend, time-out in ms, address or "", interface or "") -> promise of its id
napi_value openGroup(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const StorePointer store = stores().at(numberOf(env, values[0]));
  const std::string prefix = stringOf(env, values[1]);
  const int rank = static_cast<int>(integerOf(env, values[2])), size = static_cast<int>(integerOf(env, values[3]));
  const std::string name = stringOf(env, values[4]);
  const std::chrono::milliseconds timeout = millisecondsOf(env, values[5]);
  const std::string address = stringOf(env, values[6]), interface = stringOf(env, values[7]);
  if (rank < 0 || rank >= size) {
    throw ArgumentError("a rank must be 0 to below " + std::to_string(size) + ", but is " + std::to_string(rank));
  }
  const auto prefixed = c10::make_intrusive<c10d::PrefixStore>(prefix, store);
  if (name == "gloo") {
    return promised(environment, "init_process_group", [=] {
      auto options = c10d::ProcessGroupGloo::Options::create(timeout);
      options->devices.push_back(!interface.empty() ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                 : !address.empty() ? c10d::ProcessGroupGloo::createDeviceForHostname(address)
                                                    : c10d::ProcessGroupGloo::createDefaultDevice());
      auto group = std::make_shared<ProcessGroup>();
      group->backend = c10::make_intrusive<c10d::ProcessGroupGloo>(prefixed, rank, size, options);
      return numberOutcome(groups().add(std::move(group)));
    });
  }
#ifdef LIBTORCH_BRIDGE_NCCL
  if (name == "nccl") {
    return promised(environment, "init_process_group", [=] {
      auto options = c10d::ProcessGroupNCCL::Options::create();
      options->timeout = timeout;
      auto group = std::make_shared<ProcessGroup>();
      group->backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(prefixed, rank, size, options);
      group->onStream = true;
      return numberOutcome(groups().add(std::move(group)));
    });
  }
#endif
  throw ArgumentError("a backend must be one that this build has, but is '" + name + "'");
}

// closeGroup(group): without waiting for the others, whose calls fail
napi_value closeGroup(Environment& environment, napi_value* values, size_t) {
  const double id = numberOf(environment.env, values[0]);
  return promised(environment, "destroy_process_group", [id] {
    const GroupPointer group = groups().remove(id);
#if TORCH_VERSION_MAJOR >= 2 && TORCH_VERSION_MINOR >= 6
    if (group) group->backend->abort();
#endif
    return nothing();
  });
}

// allReduce(group, handle, reduction) -> promise, behind which the tensor holds the result. As all collectives, it is
// started now: all processes call them in one order.
napi_value allReduce(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const GroupPointer group = groups().at(numberOf(env, values[0]));
  const at::Tensor& tensor = dense(tensorOf(environment, values[1]));
  return group->awaited(environment, "all_reduce", {group->allReduce(tensor, reductionNamed(stringOf(env, values[2])))});
}

// broadcastTensor(group, handle, root) -> promise
napi_value broadcastTensor(Environment& environment, napi_value* values, size_t) {
  const GroupPointer group = groups().at(numberOf(environment.env, values[0]));
  std::vector<at::Tensor> tensors = {dense(tensorOf(environment, values[1]))};
  c10d::BroadcastOptions options;
  options.rootRank = integerOf(environment.env, values[2]);
  return group->awaited(environment, "broadcast", {group->backend->broadcast(tensors, options)});
}

// allGather(group, handles to fill, handle) -> promise
napi_value allGather(Environment& environment, napi_value* values, size_t) {
  const GroupPointer group = groups().at(numberOf(environment.env, values[0]));
  std::vector<std::vector<at::Tensor>> outputs = {tensorsOf(environment, values[1], "outputs")};
  std::vector<at::Tensor> inputs = {dense(tensorOf(environment, values[2]))};
  return group->awaited(environment, "all_gather", {group->backend->allgather(outputs, inputs)});
}

// reduceScatter(group, handle to fill, handles) -> promise
napi_value reduceScatter(Environment& environment, napi_value* values, size_t) {
  const GroupPointer group = groups().at(numberOf(environment.env, values[0]));
  std::vector<at::Tensor> outputs = {dense(tensorOf(environment, values[1]))};
  std::vector<std::vector<at::Tensor>> inputs = {tensorsOf(environment, values[2], "inputs")};
  c10d::ReduceScatterOptions options;
  options.reduceOp = c10d::ReduceOp::SUM;
  return group->awaited(environment, "reduce_scatter", {group->backend->reduce_scatter(outputs, inputs, options)});
}

// barrier(group) -> promise
napi_value barrier(Environment& environment, napi_value* values, size_t) {
  const GroupPointer group = groups().at(numberOf(environment.env, values[0]));
  return group->awaited(environment, "barrier", {group->backend->barrier()});
}

}  // namespace bridge
