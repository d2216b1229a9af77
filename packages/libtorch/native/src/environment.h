#pragma once
// One Environment per Node.js environment (main thread or worker): its tensors, scopes and JavaScript classes.
#include "libtorch.h"

#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bridge {

// A handle is what JavaScript holds of a tensor: slot index in the low 32 bits, the slot's generation above.
// A freed slot's generation moves on, so a stale handle is recognised instead of read.
using Handle = double;

// What is remembered of a freed tensor, so that a message can name it.
struct Obituary {
  Handle handle = 0;
  const char* origin = nullptr;
  at::ScalarType dtype = at::kFloat;
  int32_t dimensions = 0;
  int64_t sizes[5] = {};
};

struct Slot {
  at::Tensor tensor;
  const char* origin = nullptr;
  uint32_t generation = 1;
  bool live = false;
  // Persistent tensors survive the scope they were made in; a JavaScript finaliser frees them.
  bool persistent = false;
};

class Environment {
 public:
  explicit Environment(napi_env env) : env(env), thread(std::this_thread::get_id()) {}
  // Tensors first: their hooks' destructors still use the members below.
  ~Environment() { slots_.clear(); }

  Handle add(at::Tensor tensor);
  // nullptr when the handle's tensor was freed.
  const at::Tensor* find(Handle handle) const;
  void free(Handle handle);
  // "was freed", with what is still known of the tensor.
  std::string describeFreed(Handle handle) const;

  void enterScope();
  // Frees what the innermost scope made, except persistent tensors and those in `kept`, which move to the
  // enclosing scope or, without one, become persistent.
  void leaveScope(const std::vector<Handle>& kept);
  bool persist(Handle handle);
  size_t depth() const { return scopes_.size(); }
  size_t liveTensors() const { return slots_.size() - unused_.size(); }

  // Releasing a napi_ref is only allowed on the environment's own thread; other threads leave it here.
  void releaseLater(napi_ref reference);
  void releaseReferences();

  napi_env env;
  std::thread::id thread;
  napi_ref torchError = nullptr;
  // What makes the tensors that are being added: an operator's name, for messages.
  const char* origin = "tensor";

 private:
  Slot* slot(Handle handle);

  std::vector<Slot> slots_;
  std::vector<uint32_t> unused_;
  std::vector<Obituary> obituaries_ = std::vector<Obituary>(4096);
  std::vector<std::vector<Handle>> scopes_;
  std::mutex releaseMutex_;
  std::vector<napi_ref> releases_;
};

Environment& environmentOf(napi_env env);

}  // namespace bridge
