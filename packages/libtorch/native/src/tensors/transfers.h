#pragma once
// How often values cross between the host's memory and tensors: what makes the host wait for a device.
#include "../errors.h"

namespace bridge {

// A value of a tensor, or all of them, on the host.
void countRead();
// Host memory into a tensor, or from a tensor in the CPU's memory into another device's.
void countCopy(size_t bytes);
// A tensor that an operator took from one device to another.
void countMove(c10::Device from, c10::Device to, size_t bytes);

napi_value transferCounts(Environment& environment, napi_value* values, size_t count);
napi_value resetTransferCounts(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
