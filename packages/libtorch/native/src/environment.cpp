#include "environment.h"

#include <algorithm>
#include <sstream>

namespace bridge {

namespace {
constexpr double kGenerationUnit = 4294967296.0;  // 2^32
constexpr uint32_t kGenerations = 1u << 20;       // index and generation fit a double's 53 bits

uint32_t indexOf(Handle handle) { return static_cast<uint32_t>(static_cast<uint64_t>(handle)); }
uint32_t generationOf(Handle handle) { return static_cast<uint32_t>(static_cast<uint64_t>(handle) >> 32); }
}  // namespace

Handle Environment::add(at::Tensor tensor) {
  uint32_t index;
  if (unused_.empty()) {
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = unused_.back();
    unused_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.tensor = std::move(tensor);
  slot.origin = origin;
  slot.live = true;
  slot.persistent = false;
  const Handle handle = slot.generation * kGenerationUnit + index;
  if (!scopes_.empty()) scopes_.back().push_back(handle);
  return handle;
}

Slot* Environment::slot(Handle handle) {
  if (!(handle >= kGenerationUnit && handle < kGenerationUnit * kGenerations)) return nullptr;
  const uint32_t index = indexOf(handle);
  if (index >= slots_.size()) return nullptr;
  Slot& slot = slots_[index];
  return slot.live && slot.generation == generationOf(handle) ? &slot : nullptr;
}

const at::Tensor* Environment::find(Handle handle) const {
  Slot* found = const_cast<Environment*>(this)->slot(handle);
  return found ? &found->tensor : nullptr;
}

void Environment::free(Handle handle) {
  Slot* found = slot(handle);
  if (!found) return;
  Obituary& obituary = obituaries_[indexOf(handle) % obituaries_.size()];
  obituary.handle = handle;
  obituary.origin = found->origin;
  obituary.dtype = found->tensor.scalar_type();
  obituary.dimensions = static_cast<int32_t>(found->tensor.dim());
  for (int32_t i = 0; i < std::min(obituary.dimensions, 5); i++) obituary.sizes[i] = found->tensor.size(i);
  // Moved out first: the tensor's destructor may run code that reaches this table again.
  at::Tensor dying = std::move(found->tensor);
  found->tensor = at::Tensor();
  found->live = false;
  found->generation = found->generation + 1 == kGenerations ? 1 : found->generation + 1;
  unused_.push_back(indexOf(handle));
}

std::string Environment::describeFreed(Handle handle) const {
  const Obituary& obituary = obituaries_[indexOf(handle) % obituaries_.size()];
  if (obituary.handle != handle || !obituary.origin) return "was freed";
  std::ostringstream out;
  out << "the result of '" << obituary.origin << "', " << c10::toString(obituary.dtype) << " [";
  for (int32_t i = 0; i < std::min(obituary.dimensions, 5); i++) out << (i ? ", " : "") << obituary.sizes[i];
  out << (obituary.dimensions > 5 ? ", ...]" : "]") << ", was freed";
  return out.str();
}

void Environment::enterScope() { scopes_.emplace_back(); }

void Environment::leaveScope(const std::vector<Handle>& kept) {
  std::vector<Handle> made = std::move(scopes_.back());
  scopes_.pop_back();
  std::vector<Slot*> held;
  for (Handle handle : kept) {
    Slot* found = slot(handle);
    if (!found || found->persistent) continue;
    found->persistent = true;
    held.push_back(found);
  }
  for (Handle handle : made) {
    Slot* found = slot(handle);
    if (found && !found->persistent) free(handle);
  }
  if (scopes_.empty()) return;
  for (Slot* found : held) found->persistent = false;
  // Only what this scope owned moves: a tensor of a scope further out stays that scope's.
  for (Handle handle : made) {
    Slot* found = slot(handle);
    if (found && !found->persistent) scopes_.back().push_back(handle);
  }
}

bool Environment::persist(Handle handle) {
  Slot* found = slot(handle);
  if (!found || found->persistent) return false;
  found->persistent = true;
  return true;
}

void Environment::releaseLater(napi_ref reference) {
  std::lock_guard<std::mutex> lock(releaseMutex_);
  releases_.push_back(reference);
}

void Environment::releaseReferences() {
  std::lock_guard<std::mutex> lock(releaseMutex_);
  for (napi_ref reference : releases_) napi_delete_reference(env, reference);
  releases_.clear();
}

Environment& environmentOf(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

}  // namespace bridge
