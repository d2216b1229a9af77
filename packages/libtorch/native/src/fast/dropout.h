#pragma once
#include "../environment.h"

namespace bridge {

// What draws the masks of one call, from libtorch's random numbers on the CPU.
uint64_t dropoutSeed();

// Dropout of float32 or bfloat16 on the CPU that keeps no mask; differentiable any number of times.
at::Tensor seededDropout(const at::Tensor& input, double probability, uint64_t seed);

napi_value fastDropout(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
