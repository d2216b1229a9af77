#pragma once
// JavaScript values to libtorch's IValues and back, driven by an operator's own schema.
#include "errors.h"

#include <optional>

namespace bridge {

enum class Kind : uint8_t {
  Tensor, Scalar, Int, Float, Bool, String, Dtype, Layout, MemoryFormat, Device, Generator, Unsupported
};

// How one argument (or result) of a schema is converted; worked out once per operator.
struct Conversion {
  std::string name;
  std::string type;  // as the schema prints it, for messages
  Kind kind = Kind::Unsupported;
  bool list = false;
  bool optional = false;          // T? or T[]?
  bool optionalElements = false;  // Tensor?[]
  int32_t fixedLength = 0;        // int[2]: a single number stands for both
  std::optional<c10::IValue> fallback;
};

Conversion conversionFor(const c10::Argument& argument);

c10::IValue toIValue(Environment& environment, napi_value value, const Conversion& conversion);
napi_value toJavaScript(Environment& environment, const c10::IValue& value);

// The tensor behind a handle; throws ArgumentError when it was freed.
const at::Tensor& tensorOf(Environment& environment, napi_value handle);
napi_value handleValue(Environment& environment, at::Tensor tensor);
// The tensors behind an array of handles; `name` says in the message which ones must be live.
std::vector<at::Tensor> tensorsOf(Environment& environment, napi_value handles, const char* name);

at::ScalarType dtypeNamed(const std::string& name);
std::string dtypeName(at::ScalarType dtype);
std::string stringOf(napi_env env, napi_value value);
int64_t integerOf(napi_env env, napi_value value);
double numberOf(napi_env env, napi_value value);
bool booleanOf(napi_env env, napi_value value);
std::vector<int64_t> integersOf(napi_env env, napi_value value);
std::vector<Handle> handlesOf(napi_env env, napi_value value);
std::vector<std::string> stringsOf(napi_env env, napi_value value);
napi_value stringValue(napi_env env, const std::string& text);
napi_value numberValue(napi_env env, double number);
napi_value booleanValue(napi_env env, bool flag);
napi_value numbersValue(napi_env env, const std::vector<double>& numbers);

}  // namespace bridge
