// Which operator, of which module, took memory and time: blocks as they come and go, and how long each operator ran.
// An operator of the backward pass belongs to the module whose forward pass recorded it: nodes of the graph are numbered
// in the order in which they were made, and modules are entered in that order too.
#include "profile.h"

#include "../convert.h"

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace bridge {

namespace {

using Clock = std::chrono::steady_clock;

struct Event {
  double seconds;
  double bytes;  // less than 0 where a block is freed
  size_t label;
};

struct Profile {
  std::mutex mutex;
  Clock::time_point began = Clock::now();
  std::map<std::pair<std::string, std::string>, size_t> places;
  std::vector<std::pair<std::string, std::string>> labels;  // module, operator
  std::vector<double> seconds;                               // of each label
  std::vector<Event> events;
  std::unordered_map<const void*, size_t> blocks;
  std::map<uint64_t, std::string> modules;  // by the first number of a node that was made in them
  std::string module;

  double now() const { return std::chrono::duration<double>(Clock::now() - began).count(); }

  size_t labelOf(const std::string& of, const std::string& name) {
    const auto [place, isNew] = places.emplace(std::pair(of, name), labels.size());
    if (isNew) {
      labels.emplace_back(of, name);
      seconds.push_back(0);
    }
    return place->second;
  }

  const std::string& moduleOfNode(int64_t number) {
    auto behind = modules.upper_bound(static_cast<uint64_t>(number));
    return number < 0 || behind == modules.begin() ? module : std::prev(behind)->second;
  }
};

// Never destroyed: a block may be freed on another thread as a profile ends.
Profile& profile() {
  static auto* const only = new Profile();
  return *only;
}
std::atomic<bool> running{false};
at::CallbackHandle observer = at::INVALID_CALLBACK_HANDLE;

constexpr size_t kNone = SIZE_MAX;
// The outermost operator that runs. What other threads do is its work.
size_t current = kNone;
std::thread::id thread;

constexpr char kEngine[] = "autograd::engine::";  // around a node, whose number it does not know

struct Running : at::ObserverContext {
  double began = 0;
};

std::unique_ptr<at::ObserverContext> enter(const at::RecordFunction& function) {
  if (!running || std::this_thread::get_id() != thread) return nullptr;
  Profile& own = profile();
  std::lock_guard<std::mutex> lock(own.mutex);
  if (current != kNone || std::strncmp(function.name(), kEngine, sizeof kEngine - 1) == 0) return nullptr;
  const bool isBackward = function.scope() == at::RecordScope::BACKWARD_FUNCTION;
  current = own.labelOf(isBackward ? own.moduleOfNode(function.seqNr()) : own.module, function.name());
  auto context = std::make_unique<Running>();
  context->began = own.now();
  return context;
}

void leave(const at::RecordFunction&, at::ObserverContext* context) {
  if (!context) return;
  Profile& own = profile();
  std::lock_guard<std::mutex> lock(own.mutex);
  if (running) own.seconds[current] += own.now() - static_cast<Running*>(context)->began;
  current = kNone;
}

}  // namespace

void profileAllocated(const void* block, size_t bytes) {
  if (!running) return;
  Profile& own = profile();
  std::lock_guard<std::mutex> lock(own.mutex);
  const size_t label = current == kNone ? own.labelOf(own.module, "") : current;
  own.blocks[block] = label;
  own.events.push_back({own.now(), static_cast<double>(bytes), label});
}

void profileFreed(const void* block, size_t bytes) {
  if (!running) return;
  Profile& own = profile();
  std::lock_guard<std::mutex> lock(own.mutex);
  const auto found = own.blocks.find(block);
  const size_t label = found == own.blocks.end() ? own.labelOf("", "") : found->second;
  own.events.push_back({own.now(), -static_cast<double>(bytes), label});
  if (found != own.blocks.end()) own.blocks.erase(found);
}

// startProfile(): forgets what the last one found. One at a time in a process.
napi_value startProfile(Environment&, napi_value*, size_t) {
  if (running) throw ArgumentError("a profile must be stopped before another one starts, but one is running");
  Profile& own = profile();
  std::lock_guard<std::mutex> lock(own.mutex);
  own.began = Clock::now();
  own.places.clear();
  own.labels.clear();
  own.seconds.clear();
  own.events.clear();
  own.blocks.clear();
  own.modules.clear();
  own.module.clear();
  own.labelOf("", "");  // blocks from before
  thread = std::this_thread::get_id();
  current = kNone;
  running = true;
  observer = at::addGlobalCallback(
      at::RecordFunctionCallback(enter, leave).scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
  return nullptr;
}

// profileModule(name): what follows belongs to it.
napi_value profileModule(Environment& environment, napi_value* values, size_t) {
  Profile& own = profile();
  std::lock_guard<std::mutex> lock(own.mutex);
  own.module = stringOf(environment.env, values[0]);
  own.modules[at::sequence_number::peek()] = own.module;
  return nullptr;
}

// stopProfile() -> [[module, operator] of each label, their seconds, events one behind another: seconds, bytes, label]
napi_value stopProfile(Environment& environment, napi_value*, size_t) {
  napi_env env = environment.env;
  if (running) at::removeCallback(observer);
  running = false;
  Profile& own = profile();
  std::lock_guard<std::mutex> lock(own.mutex);
  napi_value labels, result;
  check(env, napi_create_array_with_length(env, own.labels.size(), &labels));
  for (size_t i = 0; i < own.labels.size(); i++) {
    napi_value label;
    check(env, napi_create_array_with_length(env, 2, &label));
    check(env, napi_set_element(env, label, 0, stringValue(env, own.labels[i].first)));
    check(env, napi_set_element(env, label, 1, stringValue(env, own.labels[i].second)));
    check(env, napi_set_element(env, labels, i, label));
  }
  std::vector<double> numbers;
  for (const Event& event : own.events) numbers.insert(numbers.end(), {event.seconds, event.bytes, static_cast<double>(event.label)});
  check(env, napi_create_array_with_length(env, 3, &result));
  check(env, napi_set_element(env, result, 0, labels));
  check(env, napi_set_element(env, result, 1, numbersValue(env, own.seconds)));
  check(env, napi_set_element(env, result, 2, numbersValue(env, numbers)));
  return result;
}

}  // namespace bridge
