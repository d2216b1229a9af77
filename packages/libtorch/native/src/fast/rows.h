#pragma once
// Loops over rows that the compiler turns into the vector instructions of the processor it runs on. They compute in float32;
// what lies in memory may be bfloat16.
#include <cstdint>

namespace bridge {

struct Bfloat16 {
  uint16_t bits;  // the upper half of float32's
};

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
void dropRow(const Bfloat16* from, Bfloat16* to, uint32_t count, uint64_t key, Dropping dropping);

// row = softmax(scale * row + bias); no bias where it is null.
void softmaxRow(float* row, const float* bias, uint32_t count, float scale);

// shares = drop(softmax(scale * scores)) and its gradient: takes the shares before dropping, and the gradient of the
// dropped ones. `shares` become the dropped ones, `gradient` that of the scores.
void droppedSoftmaxRowBackward(float* shares, float* gradient, uint32_t count, uint64_t key, Dropping dropping,
                               float scale);

// A convolution of one channel: frame f reads the samples from f * stride on. `weight` is [kernel, channels].
struct OneChannel {
  const float* samples;
  int64_t stride;
  const float* weight;
  const float* bias;
  uint32_t kernel, channels;
};

// to[f][c] = gelu(bias[c] + sum over k of weight[k][c] * samples[f * stride + k]); exact GELU, x times the Gaussian
// distribution function of x.
void geluConvolution(const OneChannel& convolution, uint32_t frames, float* to);
void geluConvolution(const OneChannel& convolution, uint32_t frames, Bfloat16* to);

// Of a gradient [frames, channels] of that: the gradients of weight and bias, [kernel + 1, channels], the last row the bias's.
void geluConvolutionBackward(const OneChannel& convolution, uint32_t frames, const float* gradient, float* sums);
void geluConvolutionBackward(const OneChannel& convolution, uint32_t frames, const Bfloat16* gradient, float* sums);

}  // namespace bridge
