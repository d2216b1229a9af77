#include "convert.h"

#include <ATen/core/List.h>
#include <cmath>

namespace bridge {

namespace {

#if TORCH_VERSION_MAJOR >= 2
using OptionalTensor = std::optional<at::Tensor>;
#else
using OptionalTensor = c10::optional<at::Tensor>;
#endif

struct DtypeName {
  const char* name;
  at::ScalarType dtype;
};
constexpr DtypeName kDtypes[] = {
    {"float32", at::kFloat}, {"float64", at::kDouble}, {"float16", at::kHalf}, {"bfloat16", at::kBFloat16},
    {"int64", at::kLong},    {"int32", at::kInt},      {"uint8", at::kByte},   {"bool", at::kBool},
};

Kind kindOf(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return Kind::Tensor;
    case c10::TypeKind::NumberType: return Kind::Scalar;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::Int;
    case c10::TypeKind::FloatType: return Kind::Float;
    case c10::TypeKind::BoolType: return Kind::Bool;
    case c10::TypeKind::StringType: return Kind::String;
    case c10::TypeKind::ScalarTypeType: return Kind::Dtype;
    case c10::TypeKind::LayoutType: return Kind::Layout;
    case c10::TypeKind::MemoryFormatType: return Kind::MemoryFormat;
    case c10::TypeKind::DeviceObjType: return Kind::Device;
    case c10::TypeKind::GeneratorType: return Kind::Generator;
    default: return Kind::Unsupported;
  }
}

bool isNothing(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  return type == napi_undefined || type == napi_null;
}

at::MemoryFormat memoryFormatNamed(const std::string& name) {
  if (name == "contiguous") return at::MemoryFormat::Contiguous;
  if (name == "preserve") return at::MemoryFormat::Preserve;
  throw ArgumentError("must be 'contiguous' or 'preserve', but is '" + name + "'");
}

at::Scalar scalarOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  if (type == napi_boolean) return at::Scalar(booleanOf(env, value));
  if (type == napi_bigint) return at::Scalar(integerOf(env, value));
  const double number = numberOf(env, value);
  // JavaScript has one number type: whole numbers are integers here, so that they leave integer tensors integer.
  if (std::trunc(number) == number && std::abs(number) < 9007199254740992.0 && !(number == 0 && std::signbit(number))) {
    return at::Scalar(static_cast<int64_t>(number));
  }
  return at::Scalar(number);
}

c10::IValue oneToIValue(Environment& environment, napi_value value, Kind kind) {
  napi_env env = environment.env;
  switch (kind) {
    case Kind::Tensor: return c10::IValue(tensorOf(environment, value));
    case Kind::Scalar: return c10::IValue(scalarOf(env, value));
    case Kind::Int: return c10::IValue(integerOf(env, value));
    case Kind::Float: return c10::IValue(numberOf(env, value));
    case Kind::Bool: return c10::IValue(booleanOf(env, value));
    case Kind::String: return c10::IValue(stringOf(env, value));
    case Kind::Dtype: return c10::IValue(dtypeNamed(stringOf(env, value)));
    case Kind::Device: return c10::IValue(c10::Device(stringOf(env, value)));
    case Kind::MemoryFormat: return c10::IValue(memoryFormatNamed(stringOf(env, value)));
    default: throw ArgumentError("has a type that cannot be passed from JavaScript");
  }
}

template <typename Read>
void forEachElement(napi_env env, napi_value array, Read read) {
  bool isArray = false;
  check(env, napi_is_array(env, array, &isArray));
  if (!isArray) throw ArgumentError("must be an array, but is " + describeJavaScript(env, array));
  uint32_t length = 0;
  check(env, napi_get_array_length(env, array, &length));
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    check(env, napi_get_element(env, array, i, &element));
    read(element);
  }
}

template <typename T, typename Read>
c10::IValue listOf(napi_env env, napi_value value, int32_t fixedLength, Read read) {
  c10::List<T> list;
  bool isArray = false;
  check(env, napi_is_array(env, value, &isArray));
  if (!isArray && fixedLength > 0) {
    const T element = read(value);
    for (int32_t i = 0; i < fixedLength; i++) list.push_back(element);
  } else {
    forEachElement(env, value, [&](napi_value element) { list.push_back(read(element)); });
  }
  return c10::IValue(std::move(list));
}

c10::IValue listToIValue(Environment& environment, napi_value value, const Conversion& conversion) {
  napi_env env = environment.env;
  const int32_t fixed = conversion.fixedLength;
  switch (conversion.kind) {
    case Kind::Tensor:
      if (conversion.optionalElements) {
        return listOf<OptionalTensor>(env, value, 0, [&](napi_value element) {
          return isNothing(env, element) ? OptionalTensor() : OptionalTensor(tensorOf(environment, element));
        });
      }
      return listOf<at::Tensor>(env, value, 0, [&](napi_value element) { return tensorOf(environment, element); });
    case Kind::Int: return listOf<int64_t>(env, value, fixed, [&](napi_value e) { return integerOf(env, e); });
    case Kind::Float: return listOf<double>(env, value, fixed, [&](napi_value e) { return numberOf(env, e); });
    case Kind::Bool: return listOf<bool>(env, value, fixed, [&](napi_value e) { return booleanOf(env, e); });
    case Kind::Scalar: return listOf<at::Scalar>(env, value, fixed, [&](napi_value e) { return scalarOf(env, e); });
    default: throw ArgumentError("has a list type that cannot be passed from JavaScript");
  }
}

}  // namespace

Conversion conversionFor(const c10::Argument& argument) {
  Conversion conversion;
  conversion.name = argument.name();
  conversion.type = argument.real_type()->str();
  c10::TypePtr type = argument.real_type();
  if (type->kind() == c10::TypeKind::OptionalType) {
    conversion.optional = true;
    type = type->expectRef<c10::OptionalType>().getElementType();
  }
  if (type->kind() == c10::TypeKind::ListType) {
    conversion.list = true;
    conversion.fixedLength = argument.N().value_or(0);
    type = type->expectRef<c10::ListType>().getElementType();
    if (type->kind() == c10::TypeKind::OptionalType) {
      conversion.optionalElements = true;
      type = type->expectRef<c10::OptionalType>().getElementType();
    }
  }
  conversion.kind = kindOf(*type);
  if (argument.default_value()) conversion.fallback = *argument.default_value();
  return conversion;
}

c10::IValue toIValue(Environment& environment, napi_value value, const Conversion& conversion) {
  if (conversion.kind == Kind::Tensor && !conversion.list && !conversion.optional) {
    return c10::IValue(tensorOf(environment, value));
  }
  if (isNothing(environment.env, value)) {
    if (conversion.fallback) return *conversion.fallback;
    if (conversion.optional) return c10::IValue();
    throw ArgumentError("must be given, but is " + describeJavaScript(environment.env, value));
  }
  return conversion.list ? listToIValue(environment, value, conversion)
                         : oneToIValue(environment, value, conversion.kind);
}

napi_value toJavaScript(Environment& environment, const c10::IValue& value) {
  napi_env env = environment.env;
  napi_value result;
  if (value.isTensor()) return handleValue(environment, value.toTensor());
  if (value.isNone()) {
    check(env, napi_get_undefined(env, &result));
  } else if (value.isBool()) {
    check(env, napi_get_boolean(env, value.toBool(), &result));
  } else if (value.isInt()) {
    check(env, napi_create_int64(env, value.toInt(), &result));
  } else if (value.isDouble()) {
    check(env, napi_create_double(env, value.toDouble(), &result));
  } else if (value.isScalar()) {
    check(env, napi_create_double(env, value.toScalar().to<double>(), &result));
  } else if (value.isList()) {
    const auto list = value.toList();
    check(env, napi_create_array_with_length(env, list.size(), &result));
    for (size_t i = 0; i < list.size(); i++) {
      check(env, napi_set_element(env, result, i, toJavaScript(environment, list.get(i))));
    }
  } else {
    throw ArgumentError("a result of type " + value.tagKind() + " cannot be passed to JavaScript");
  }
  return result;
}

const at::Tensor& tensorOf(Environment& environment, napi_value handle) {
  double number = 0;
  if (napi_get_value_double(environment.env, handle, &number) != napi_ok) {
    throw ArgumentError("must be a Tensor, but is " + describeJavaScript(environment.env, handle));
  }
  const at::Tensor* tensor = environment.find(number);
  if (!tensor) {
    throw ArgumentError("must be a live Tensor, but " + environment.describeFreed(number) +
                        ". Return it from its scope or keep() it");
  }
  return *tensor;
}

napi_value handleValue(Environment& environment, at::Tensor tensor) {
  napi_value result;
  if (!tensor.defined()) {
    check(environment.env, napi_get_undefined(environment.env, &result));
  } else {
    check(environment.env, napi_create_double(environment.env, environment.add(std::move(tensor)), &result));
  }
  return result;
}

at::ScalarType dtypeNamed(const std::string& name) {
  std::string known;
  for (const auto& entry : kDtypes) {
    if (name == entry.name) return entry.dtype;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw ArgumentError("must be one of " + known + ", but is '" + name + "'");
}

std::string dtypeName(at::ScalarType dtype) {
  for (const auto& entry : kDtypes) {
    if (dtype == entry.dtype) return entry.name;
  }
  return c10::toString(dtype);
}

std::string stringOf(napi_env env, napi_value value) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, nullptr, 0, &length) != napi_ok) {
    throw ArgumentError("must be a string, but is " + describeJavaScript(env, value));
  }
  std::string text(length, '\0');
  check(env, napi_get_value_string_utf8(env, value, text.data(), length + 1, &length));
  return text;
}

int64_t integerOf(napi_env env, napi_value value) {
  napi_valuetype type;
  check(env, napi_typeof(env, value, &type));
  if (type == napi_bigint) {
    int64_t integer = 0;
    bool lossless = false;
    check(env, napi_get_value_bigint_int64(env, value, &integer, &lossless));
    if (!lossless) throw ArgumentError("must fit 64 bits, but does not");
    return integer;
  }
  double number = 0;
  if (type != napi_number || napi_get_value_double(env, value, &number) != napi_ok || std::trunc(number) != number ||
      std::abs(number) > 9007199254740991.0) {
    throw ArgumentError("must be an integer, but is " + describeJavaScript(env, value));
  }
  return static_cast<int64_t>(number);
}

double numberOf(napi_env env, napi_value value) {
  double number = 0;
  if (napi_get_value_double(env, value, &number) != napi_ok) {
    throw ArgumentError("must be a number, but is " + describeJavaScript(env, value));
  }
  return number;
}

bool booleanOf(napi_env env, napi_value value) {
  bool flag = false;
  if (napi_get_value_bool(env, value, &flag) != napi_ok) {
    throw ArgumentError("must be a boolean, but is " + describeJavaScript(env, value));
  }
  return flag;
}

std::vector<int64_t> integersOf(napi_env env, napi_value value) {
  std::vector<int64_t> integers;
  forEachElement(env, value, [&](napi_value element) { integers.push_back(integerOf(env, element)); });
  return integers;
}

std::vector<Handle> handlesOf(napi_env env, napi_value value) {
  std::vector<Handle> handles;
  forEachElement(env, value, [&](napi_value element) { handles.push_back(numberOf(env, element)); });
  return handles;
}

std::vector<std::string> stringsOf(napi_env env, napi_value value) {
  std::vector<std::string> strings;
  forEachElement(env, value, [&](napi_value element) { strings.push_back(stringOf(env, element)); });
  return strings;
}

napi_value stringValue(napi_env env, const std::string& text) {
  napi_value value;
  check(env, napi_create_string_utf8(env, text.data(), text.size(), &value));
  return value;
}

napi_value numberValue(napi_env env, double number) {
  napi_value value;
  check(env, napi_create_double(env, number, &value));
  return value;
}

napi_value booleanValue(napi_env env, bool flag) {
  napi_value value;
  check(env, napi_get_boolean(env, flag, &value));
  return value;
}

napi_value numbersValue(napi_env env, const std::vector<double>& numbers) {
  napi_value array;
  check(env, napi_create_array_with_length(env, numbers.size(), &array));
  for (size_t i = 0; i < numbers.size(); i++) check(env, napi_set_element(env, array, i, numberValue(env, numbers[i])));
  return array;
}

std::vector<at::Tensor> tensorsOf(Environment& environment, napi_value handles, const char* name) {
  std::vector<at::Tensor> tensors;
  for (Handle handle : handlesOf(environment.env, handles)) {
    const at::Tensor* tensor = environment.find(handle);
    if (!tensor) {
      throw ArgumentError(std::string("'") + name + "' must be live Tensors, but " + environment.describeFreed(handle));
    }
    tensors.push_back(*tensor);
  }
  return tensors;
}

}  // namespace bridge
