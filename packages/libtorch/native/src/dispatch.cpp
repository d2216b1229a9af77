// One call for every operator that libtorch has: look the schema up once, convert, dispatch boxed, convert back.
#include "dispatch.h"

#include "argument-checks.h"
#include "convert.h"
#include "machine/workarounds.h"
#include "tensors/transfers.h"

#include <array>
#include <atomic>
#include <memory>
#include <sstream>
#include <unordered_map>

namespace bridge {

namespace {

// What an operator may take from one device to another, or to the host.
enum class Transfer { None, Converted, CopiedInto, Compared };

Transfer transferOf(const std::string& name) {
  if (name == "to.dtype_layout") return Transfer::Converted;
  if (name == "copy_") return Transfer::CopiedInto;
  return name == "equal" ? Transfer::Compared : Transfer::None;
}

struct Operator {
  c10::OperatorHandle handle;
  std::string name;
  std::vector<Conversion> arguments;
  size_t results;
  Workaround workaround;
  ArgumentCheck check;
  Transfer transfer;
};

// Schemas are the process's, not the environment's: entries stay, so that calls read them without the lock.
std::mutex registryMutex;
std::array<std::atomic<const Operator*>, 4096> operators;
std::unordered_map<std::string, size_t> operatorIndex;

std::string describeArguments(const Operator& op, const torch::jit::Stack& arguments) {
  std::string text;
  for (size_t i = 0; i < arguments.size() && i < op.arguments.size(); i++) {
    std::string value;
    if (arguments[i].isTensor()) {
      value = describe(arguments[i].toTensor());
    } else if (arguments[i].isTensorList()) {
      for (const at::Tensor& tensor : arguments[i].toTensorVector()) {
        value += (value.empty() ? "" : ", ") + describe(tensor);
      }
      value = "[" + value + "]";
    } else {
      continue;
    }
    text += (text.empty() ? "" : ", ") + op.arguments[i].name + ": " + value;
  }
  return text;
}

// Arguments by position, as JavaScript gave them; missing ones take the schema's defaults.
void pushArguments(Environment& environment, const Operator& op, napi_value* values, size_t count,
                   torch::jit::Stack& stack) {
  if (count > op.arguments.size()) {
    throw ArgumentError("takes " + std::to_string(op.arguments.size()) + " arguments, but " + std::to_string(count) +
                        " were given");
  }
  for (size_t i = 0; i < op.arguments.size(); i++) {
    const Conversion& conversion = op.arguments[i];
    try {
      if (i < count) {
        stack.push_back(toIValue(environment, values[i], conversion));
      } else if (conversion.fallback) {
        stack.push_back(*conversion.fallback);
      } else if (conversion.optional) {
        stack.emplace_back();
      } else {
        throw ArgumentError("must be given, but is missing");
      }
    } catch (const ArgumentError& error) {
      throw ArgumentError("'" + conversion.name + "' (" + conversion.type + ") " + error.what());
    }
  }
}

const Operator& operatorAt(napi_env env, napi_value value) {
  int32_t index = -1;
  napi_get_value_int32(env, value, &index);
  const bool inside = index >= 0 && index < static_cast<int32_t>(operators.size());
  const Operator* op = inside ? operators[index].load(std::memory_order_acquire) : nullptr;
  if (!op) throw ArgumentError("this libtorch, " TORCH_VERSION ", does not have the operator");
  return *op;
}

}  // namespace

// lookup(name, overload) -> index for call(), or -1 where this libtorch does not have the operator.
napi_value lookup(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const std::string name = stringOf(env, values[0]);
  const std::string overload = stringOf(env, values[1]);
  int64_t index = -1;
  {
    std::lock_guard<std::mutex> lock(registryMutex);
    const std::string key = overload.empty() ? name : name + "." + overload;
    const auto known = operatorIndex.find(key);
    if (known != operatorIndex.end()) {
      index = known->second;
    } else if (const auto handle = c10::Dispatcher::singleton().findSchema({"aten::" + name, overload})) {
      std::vector<Conversion> arguments;
      for (const c10::Argument& argument : handle->schema().arguments()) arguments.push_back(conversionFor(argument));
      index = static_cast<int64_t>(operatorIndex.size());
      if (index == static_cast<int64_t>(operators.size())) throw ArgumentError("too many operators are in use");
      auto op = std::make_unique<Operator>(Operator{*handle, key, std::move(arguments),
                                                    handle->schema().returns().size(), workaroundFor(key),
                                                    argumentCheckFor(key), transferOf(key)});
      operatorIndex.emplace(key, index);
      operators[index].store(op.release(), std::memory_order_release);
    }
  }
  napi_value result;
  check(env, napi_create_int64(env, index, &result));
  return result;
}

// operatorNames() -> every operator of libtorch, as "add.Tensor".
napi_value operatorNames(Environment& environment, napi_value*, size_t) {
  napi_env env = environment.env;
  const std::string space = "aten::";
  napi_value names;
  check(env, napi_create_array(env, &names));
  uint32_t i = 0;
  for (const c10::OperatorName& each : c10::Dispatcher::singleton().getAllOpNames()) {
    if (each.name.rfind(space, 0) != 0) continue;
    const std::string name = each.name.substr(space.size()) + (each.overload_name.empty() ? "" : "." + each.overload_name);
    check(env, napi_set_element(env, names, i++, stringValue(env, name)));
  }
  return names;
}

// schema(index) -> the operator's schema as libtorch prints it.
napi_value schema(Environment& environment, napi_value* values, size_t) {
  std::ostringstream out;
  out << operatorAt(environment.env, values[0]).handle.schema();
  return stringValue(environment.env, out.str());
}

namespace {

// The memory of the last call's stack; a call inside a call, from a gradient hook, starts with none.
struct BorrowedStack {
  BorrowedStack() : stack(std::move(spare)) {}
  BorrowedStack(const BorrowedStack&) = delete;
  BorrowedStack& operator=(const BorrowedStack&) = delete;
  ~BorrowedStack() {
    stack.clear();
    spare = std::move(stack);
  }
  torch::jit::Stack stack;

 private:
  static thread_local torch::jit::Stack spare;
};
thread_local torch::jit::Stack BorrowedStack::spare;

// Calls an operator that may cross devices; none of these has a workaround.
void callCounted(const Operator& op, torch::jit::Stack& stack) {
  if (op.transfer == Transfer::Compared) {
    countRead();
    op.handle.callBoxed(&stack);
    return;
  }
  const c10::Device from = stack[op.transfer == Transfer::CopiedInto ? 1 : 0].toTensor().device();
  op.handle.callBoxed(&stack);
  const at::Tensor& result = stack[0].toTensor();
  countMove(from, result.device(), result.nbytes());
}

template <bool inPlace>
napi_value invoke(napi_env env, napi_callback_info info) {
  napi_value values[kMaximumArguments];
  size_t count = kMaximumArguments;
  const Operator* op = nullptr;
  BorrowedStack borrowed;
  torch::jit::Stack& stack = borrowed.stack;
  std::string arguments;
  try {
    check(env, napi_get_cb_info(env, info, &count, values, nullptr, nullptr));
    Environment& environment = environmentOf(env);
    op = &operatorAt(env, values[0]);
    stack.reserve(op->arguments.size());
    pushArguments(environment, *op, values + 1, count - 1, stack);
    try {
      if (op->check) op->check(stack);
      if (op->transfer != Transfer::None) {
        callCounted(*op, stack);
      } else if (op->workaround == Workaround::None) {
        op->handle.callBoxed(&stack);
      } else {
        callAround(op->workaround, op->handle, op->arguments, stack);
      }
    } catch (...) {
      // The kernel may have taken its arguments off the stack: convert them again for the message.
      stack.clear();
      pushArguments(environment, *op, values + 1, count - 1, stack);
      arguments = describeArguments(*op, stack);
      throw;
    }
    if (inPlace || op->results == 0) return nullptr;
    environment.origin = op->name.c_str();
    if (op->results == 1) return toJavaScript(environment, stack[0]);
    napi_value results;
    check(env, napi_create_array_with_length(env, op->results, &results));
    for (size_t i = 0; i < op->results; i++) {
      check(env, napi_set_element(env, results, i, toJavaScript(environment, stack[i])));
    }
    return results;
  } catch (...) {
    throwCurrent(env, op ? op->name : "call", arguments);
    return nullptr;
  }
}

}  // namespace

// call(index, ...arguments) -> handle, value, or an array of them for several results.
napi_value call(napi_env env, napi_callback_info info) { return invoke<false>(env, info); }

// applyInPlace(index, ...arguments): for operators whose result is their first argument, which JavaScript holds.
napi_value applyInPlace(napi_env env, napi_callback_info info) { return invoke<true>(env, info); }

// workarounds() -> what this build does differently because its libtorch computes it wrongly otherwise.
napi_value workarounds(Environment& environment, napi_value*, size_t) {
  napi_value list;
  check(environment.env, napi_create_array(environment.env, &list));
  uint32_t i = 0;
  for (const std::string& line : activeWorkarounds()) {
    check(environment.env, napi_set_element(environment.env, list, i++, stringValue(environment.env, line)));
  }
  return list;
}

}  // namespace bridge
