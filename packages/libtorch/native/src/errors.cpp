#include "errors.h"

#include <sstream>

namespace bridge {

namespace {

// libtorch's messages carry a C++ stack or "Exception raised from" after the first paragraph.
std::string withoutTrace(std::string message) {
  for (const char* marker : {"\nException raised from", "\nDebug info:", "\nException handler"}) {
    const size_t at = message.find(marker);
    if (at != std::string::npos) message.resize(at);
  }
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return message;
}

// The kind of the current exception; sets its message.
const char* currentFailure(std::string& message) {
  try {
    throw;
  } catch (const ArgumentError& error) {
    message = error.what();
    return "ERR_TORCH_ARGUMENT";
  } catch (const c10::Error& error) {
    message = withoutTrace(error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    message = "out of memory";
  } catch (const std::exception& error) {
    message = withoutTrace(error.what());
  } catch (...) {
    message = "unknown C++ exception";
  }
  return "ERR_TORCH_OPERATOR";
}

napi_value string(napi_env env, const std::string& text) {
  napi_value value;
  napi_create_string_utf8(env, text.data(), text.size(), &value);
  return value;
}

}  // namespace

std::string describe(const at::Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::ostringstream out;
  out << c10::toString(tensor.scalar_type()) << " [";
  for (int64_t i = 0; i < tensor.dim(); i++) out << (i ? ", " : "") << tensor.size(i);
  out << "]";
  if (!tensor.is_cpu()) out << " on " << tensor.device().str();
  return out.str();
}

std::string describeJavaScript(napi_env env, napi_value value) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return "an unreadable value";
  switch (type) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: {
      bool flag = false;
      napi_get_value_bool(env, value, &flag);
      return flag ? "true" : "false";
    }
    case napi_number: {
      double number = 0;
      napi_get_value_double(env, value, &number);
      std::ostringstream out;
      out << number;
      return out.str();
    }
    case napi_string: {
      char text[64];
      size_t length = 0;
      napi_get_value_string_utf8(env, value, text, sizeof text, &length);
      return "'" + std::string(text, length) + "'";
    }
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    default: {
      bool flag = false;
      napi_is_array(env, value, &flag);
      return flag ? "an array" : "an object";
    }
  }
}

void throwCurrent(napi_env env, const std::string& operation, const std::string& arguments) noexcept {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return;
  std::string message;
  const char* code = "ERR_TORCH_OPERATOR";
  try {
    code = currentFailure(message);
  } catch (...) {
    message = "unknown error";
  }
  // Some of libtorch's messages begin with the operator's name already.
  if (message.rfind(operation + ": ", 0) == 0) message.erase(0, operation.size() + 2);
  Environment& environment = environmentOf(env);
  napi_value constructor = nullptr, error = nullptr;
  if (environment.torchError) napi_get_reference_value(env, environment.torchError, &constructor);
  napi_value parts[4] = {string(env, operation), string(env, message), string(env, arguments), string(env, code)};
  if (constructor && napi_new_instance(env, constructor, 4, parts, &error) == napi_ok) {
    napi_throw(env, error);
  } else {
    napi_throw_error(env, nullptr, (operation + ": " + message).c_str());
  }
}

void check(napi_env env, napi_status status) {
  if (status == napi_ok) return;
  if (status == napi_pending_exception) throw PendingJavaScriptError();
  const napi_extended_error_info* info = nullptr;
  napi_get_last_error_info(env, &info);
  throw ArgumentError(info && info->error_message ? info->error_message : "Node-API call failed");
}

}  // namespace bridge
