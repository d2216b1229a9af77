#pragma once
#include "errors.h"

namespace bridge {

// A tensor on `device` with the bytes of the host, which may be overwritten as soon as this returns. Where the device
// copies from pinned memory by itself (CUDA), the host does not wait for it.
at::Tensor copyToDevice(const void* bytes, at::IntArrayRef sizes, at::ScalarType dtype, c10::Device device);

}  // namespace bridge
