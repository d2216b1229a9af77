// A tensor's facts, and its elements as bytes in and out.
#include "tensor-data.h"

#include "../convert.h"
#include "transfers.h"

#include <cstring>
#include <iterator>
#include <sstream>

namespace bridge {

Bytes bytesOf(napi_env env, napi_value value) {
  bool isView = false;
  check(env, napi_is_typedarray(env, value, &isView));
  if (!isView) throw ArgumentError("data must be a typed array, but is " + describeJavaScript(env, value));
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  check(env, napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr));
  static constexpr size_t kElementSizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  if (static_cast<size_t>(type) >= std::size(kElementSizes)) throw ArgumentError("data is of an unknown array type");
  return {data, length * kElementSizes[type]};
}

Bytes unsignedBytesOf(napi_env env, napi_value value) {
  const Bytes bytes = bytesOf(env, value);
  napi_typedarray_type type;
  check(env, napi_get_typedarray_info(env, value, &type, nullptr, nullptr, nullptr, nullptr));
  if (type != napi_uint8_array) throw ArgumentError("data must be a Uint8Array, but is another typed array");
  return bytes;
}

namespace {

struct Contents {
  Bytes bytes;
  std::vector<int64_t> sizes;
  at::ScalarType scalarType;
};

// The arguments (typedArray, shape, dtype), which must fit each other.
Contents contentsOf(napi_env env, napi_value* values) {
  const Bytes bytes = bytesOf(env, values[0]);
  std::vector<int64_t> sizes = integersOf(env, values[1]);
  const at::ScalarType scalarType = dtypeNamed(stringOf(env, values[2]));
  double elements = 1;
  for (int64_t size : sizes) {
    if (size < 0) throw ArgumentError("a shape's sizes must not be negative, but one is " + std::to_string(size));
    elements *= static_cast<double>(size);
  }
  if (elements * c10::elementSize(scalarType) != static_cast<double>(bytes.length)) {
    std::ostringstream message;
    message << "data must fill the shape " << at::IntArrayRef(sizes) << ", which needs "
            << elements * c10::elementSize(scalarType) << " bytes, but is " << bytes.length << " bytes";
    throw ArgumentError(message.str());
  }
  return {bytes, std::move(sizes), scalarType};
}

at::Tensor copyToDevice(const Contents& contents, c10::Device device) {
  const auto& [bytes, sizes, scalarType] = contents;
  const auto options = at::TensorOptions().dtype(scalarType);
  if (device.is_cuda()) {
    // A copy from ordinary memory makes the host wait for all that the GPU was given before; one from pinned memory is put
    // behind that. Libtorch gives the memory away again when the copy is done (ATen/cuda/CachingHostAllocator.h).
    const at::Tensor pinned = at::empty(sizes, options.pinned_memory(true));
    if (bytes.length) std::memcpy(pinned.data_ptr(), bytes.data, bytes.length);
    return pinned.to(device, scalarType, /*non_blocking=*/true);
  }
  // What `to` makes on the CPU is a copy; elsewhere it waits until the bytes were read.
  return at::from_blob(bytes.data, sizes, options).to(device, scalarType, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace

// fromBytes(typedArray, shape, dtype) -> handle of a new CPU tensor holding a copy.
napi_value fromBytes(Environment& environment, napi_value* values, size_t) {
  const Contents contents = contentsOf(environment.env, values);
  at::Tensor tensor = at::empty(contents.sizes, at::TensorOptions().dtype(contents.scalarType));
  if (contents.bytes.length) std::memcpy(tensor.data_ptr(), contents.bytes.data, contents.bytes.length);
  countCopy(contents.bytes.length);
  environment.origin = "tensor";
  return handleValue(environment, std::move(tensor));
}

// shareBytes(typedArray, shape, dtype) -> handle of a CPU tensor in the array's own memory, which it keeps alive.
napi_value shareBytes(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const Contents contents = contentsOf(env, values);
  napi_ref array = nullptr;
  check(env, napi_create_reference(env, values[0], 1, &array));
  Environment* owner = &environment;
  at::Tensor tensor = at::from_blob(
      contents.bytes.data, contents.sizes, [owner, array](void*) { owner->releaseLater(array); },
      at::TensorOptions().dtype(contents.scalarType));
  countCopy(contents.bytes.length);
  environment.origin = "fromBuffer";
  return handleValue(environment, std::move(tensor));
}

// toDevice(typedArray, shape, dtype, device) -> handle of a new tensor there, in one copy.
napi_value toDevice(Environment& environment, napi_value* values, size_t) {
  const Contents contents = contentsOf(environment.env, values);
  const c10::Device device(stringOf(environment.env, values[3]));
  at::Tensor tensor = copyToDevice(contents, device);
  countCopy(contents.bytes.length);
  environment.origin = "tensor";
  return handleValue(environment, std::move(tensor));
}

// toBytes(handle, typedArray): copies the elements in row-major order, from any device.
napi_value toBytes(Environment& environment, napi_value* values, size_t) {
  countRead();
  const at::Tensor tensor = tensorOf(environment, values[0]).detach().cpu().contiguous();
  const Bytes bytes = bytesOf(environment.env, values[1]);
  if (bytes.length != tensor.nbytes()) {
    throw ArgumentError("the array must have " + std::to_string(tensor.nbytes()) + " bytes, but has " +
                        std::to_string(bytes.length));
  }
  if (bytes.length) std::memcpy(bytes.data, tensor.data_ptr(), bytes.length);
  return nullptr;
}

// item(handle) -> the only element as a number or boolean.
napi_value item(Environment& environment, napi_value* values, size_t) {
  const at::Tensor& tensor = tensorOf(environment, values[0]);
  if (tensor.numel() != 1) throw ArgumentError("the tensor must have one element, but is " + describe(tensor));
  countRead();
  const at::Scalar scalar = tensor.item();
  napi_value result;
  if (scalar.isBoolean()) {
    check(environment.env, napi_get_boolean(environment.env, scalar.toBool(), &result));
  } else {
    check(environment.env, napi_create_double(environment.env, scalar.to<double>(), &result));
  }
  return result;
}

napi_value shape(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const at::Tensor& tensor = tensorOf(environment, values[0]);
  napi_value result;
  check(env, napi_create_array_with_length(env, tensor.dim(), &result));
  for (int64_t i = 0; i < tensor.dim(); i++) {
    napi_value size;
    check(env, napi_create_int64(env, tensor.size(i), &size));
    check(env, napi_set_element(env, result, i, size));
  }
  return result;
}

napi_value dtype(Environment& environment, napi_value* values, size_t) {
  return stringValue(environment.env, dtypeName(tensorOf(environment, values[0]).scalar_type()));
}

napi_value device(Environment& environment, napi_value* values, size_t) {
  return stringValue(environment.env, tensorOf(environment, values[0]).device().str());
}

napi_value byteLength(Environment& environment, napi_value* values, size_t) {
  napi_value result;
  const at::Tensor& tensor = tensorOf(environment, values[0]);
  check(environment.env, napi_create_int64(environment.env, tensor.nbytes(), &result));
  return result;
}

napi_value isContiguous(Environment& environment, napi_value* values, size_t) {
  napi_value result;
  check(environment.env,
        napi_get_boolean(environment.env, tensorOf(environment, values[0]).is_contiguous(), &result));
  return result;
}

}  // namespace bridge
