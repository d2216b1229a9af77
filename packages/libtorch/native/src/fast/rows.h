#pragma once
// Loops over rows of float32 that the compiler turns into the vector instructions of the processor it runs on.
#include <cstdint>

namespace bridge {

// Dropout's mask is not kept: an element's random number is a function of a key and of its place in the row, so the
// backward pass draws it again.
struct Dropping {
  explicit Dropping(double probability);
  uint32_t below;  // numbers of 32 bits below it are dropped
  float scale;     // of what is kept
};

// The key of one row of a tensor whose elements are dropped by `seed`.
uint64_t rowKey(uint64_t seed, uint64_t row);

// to = from with some elements 0 and the others scaled; both may be the same.
void dropRow(const float* from, float* to, uint32_t count, uint64_t key, Dropping dropping);

// row = softmax(scale * row + bias); no bias where it is null.
void softmaxRow(float* row, const float* bias, uint32_t count, float scale);

// shares = drop(softmax(scale * scores)) and its gradient: takes the shares before dropping, and the gradient of the
// dropped ones. `shares` become the dropped ones, `gradient` that of the scores.
void droppedSoftmaxRowBackward(float* shares, float* gradient, uint32_t count, uint64_t key, Dropping dropping,
                               float scale);

// to[i] = gelu(bias + sum over k of weight[k] taps[k][i]); exact GELU, x times the Gaussian distribution function of x.
void geluConvolutionRow(const float* const* taps, const float* weight, uint32_t kernel, float bias, float* to,
                        uint32_t count);

// Of a gradient of that row: adds the gradient of each weight and of the bias.
void geluConvolutionRowBackward(const float* const* taps, const float* weight, uint32_t kernel, float bias,
                                const float* gradient, uint32_t count, double* ofWeight, double* ofBias);

}  // namespace bridge
