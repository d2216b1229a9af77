#include "rows.h"

#include <cmath>
#include <cstring>

// One version of a function for each kind of vectors; the dynamic linker chooses by the processor.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE inline __attribute__((always_inline))

namespace bridge {

namespace {

// Sums and maxima go in this many at once: compilers may not reorder them by themselves.
constexpr uint32_t kLanes = 32;

// A mixer of 32 bits without visible bias (Wellons, "Prospecting for hash functions"), with half of the key before and
// half in the middle.
inline uint32_t randomNumber(uint32_t place, uint32_t before, uint32_t between) {
  uint32_t x = place + before;
  x = (x ^ (x >> 16)) * 0x21f0aaadu ^ between;
  x = (x ^ (x >> 15)) * 0xd35a2d97u;
  return x ^ (x >> 15);
}

inline float kept(float value, uint32_t place, uint64_t key, Dropping dropping) {
  const uint32_t number = randomNumber(place, static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32));
  return number < dropping.below ? 0.0f : value * dropping.scale;
}

// e^x to one unit in the last place for x from -87 to 0 (Cephes); smaller ones become e^-87. NaN stays NaN.
inline float exponential(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float shifted = x * 1.44269504f + 12582912.0f;  // the whole part ends in the lowest bits
  const float whole = shifted - 12582912.0f;
  const float rest = x - whole * 0.693359375f + whole * 2.12194440e-4f;
  float power = 1.9875691500e-4f;
  power = power * rest + 1.3981999507e-3f;
  power = power * rest + 8.3334519073e-3f;
  power = power * rest + 4.1665795894e-2f;
  power = power * rest + 1.6666665459e-1f;
  power = power * rest + 5.0000001201e-1f;
  power = power * rest * rest + rest + 1.0f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  float factor;
  std::memcpy(&factor, &bits, sizeof factor);
  return power * factor;
}

// The Gaussian distribution function at x and its density, each to a few units in the last place: the tail is the density
// times a rational function, whose coefficients were fitted to erfc in 40 digits (relative error 2e-8).
struct Gaussian {
  float below, density;
};
inline Gaussian gaussian(float x) {
  const float power = exponential(-0.5f * x * x);
  const float t = 1.0f / (1.0f + 0.212132034f * std::fabs(x));
  float series = -0.06476157158613205f;
  series = series * t + 0.2427822053432465f;
  series = series * t - 0.2561403810977936f;
  series = series * t + 0.2738616466522217f;
  series = series * t - 0.04732656851410866f;
  series = series * t + 0.10746358335018158f;
  series = series * t + 0.07416942715644836f;
  series = series * t + 0.0853576362133026f;
  series = series * t + 0.0845940038561821f;
  const float tail = power * t * series;
  return {x < 0 ? tail : 1.0f - tail, power * 0.3989422804f};
}

inline float wide(float value) { return value; }
inline float wide(Bfloat16 value) {
  const uint32_t bits = static_cast<uint32_t>(value.bits) << 16;
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

inline void store(float value, float* to) { *to = value; }
// To the nearest, of two as near the even one; NaN stays NaN.
inline void store(float value, Bfloat16* to) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1)) >> 16;
  to->bits = static_cast<uint16_t>(value == value ? rounded : 0x7fc0u);
}

template <typename Number>
INLINE void dropNumbers(const Number* from, Number* to, uint32_t count, uint64_t key, Dropping dropping) {
  for (uint32_t i = 0; i < count; i++) store(kept(wide(from[i]), i, key, dropping), to + i);
}

// Channels and frames of a convolution whose sums are in registers and the nearest cache at once.
constexpr uint32_t kChannels = 64;
constexpr uint32_t kFrames = 4;

// sums[f][c] of `frames` frames from `frame` on and of `count` channels from `channel` on.
INLINE void convolve(const OneChannel& from, uint32_t frame, uint32_t frames, uint32_t channel, uint32_t count,
                     float sums[kFrames][kChannels]) {
  for (uint32_t f = 0; f < frames; f++)
    for (uint32_t c = 0; c < count; c++) sums[f][c] = from.bias[channel + c];
  for (uint32_t k = 0; k < from.kernel; k++) {
    const float* weight = from.weight + static_cast<int64_t>(k) * from.channels + channel;
    for (uint32_t f = 0; f < frames; f++) {
      const float sample = from.samples[(frame + f) * from.stride + k];
      for (uint32_t c = 0; c < count; c++) sums[f][c] += sample * weight[c];
    }
  }
}

template <typename Number>
INLINE void geluOfSums(const OneChannel& from, uint32_t frames, Number* to) {
  float sums[kFrames][kChannels];
  for (uint32_t channel = 0; channel < from.channels; channel += kChannels) {
    const uint32_t count = from.channels - channel < kChannels ? from.channels - channel : kChannels;
    for (uint32_t frame = 0; frame < frames; frame += kFrames) {
      const uint32_t some = frames - frame < kFrames ? frames - frame : kFrames;
      convolve(from, frame, some, channel, count, sums);
      for (uint32_t f = 0; f < some; f++) {
        Number* row = to + static_cast<int64_t>(frame + f) * from.channels + channel;
        for (uint32_t c = 0; c < count; c++) store(sums[f][c] * gaussian(sums[f][c]).below, row + c);
      }
    }
  }
}

template <typename Number>
INLINE void geluOfSumsBackward(const OneChannel& from, uint32_t frames, const Number* gradient, float* sumsOver) {
  float sums[kFrames][kChannels];
  for (uint32_t i = 0; i < (from.kernel + 1) * from.channels; i++) sumsOver[i] = 0;
  for (uint32_t channel = 0; channel < from.channels; channel += kChannels) {
    const uint32_t count = from.channels - channel < kChannels ? from.channels - channel : kChannels;
    float* ofBias = sumsOver + static_cast<int64_t>(from.kernel) * from.channels + channel;
    for (uint32_t frame = 0; frame < frames; frame += kFrames) {
      const uint32_t some = frames - frame < kFrames ? frames - frame : kFrames;
      convolve(from, frame, some, channel, count, sums);
      for (uint32_t f = 0; f < some; f++) {
        const Number* row = gradient + static_cast<int64_t>(frame + f) * from.channels + channel;
        for (uint32_t c = 0; c < count; c++) {
          const Gaussian at = gaussian(sums[f][c]);
          sums[f][c] = wide(row[c]) * (at.below + sums[f][c] * at.density);
          ofBias[c] += sums[f][c];
        }
      }
      for (uint32_t k = 0; k < from.kernel; k++) {
        float* ofWeight = sumsOver + static_cast<int64_t>(k) * from.channels + channel;
        for (uint32_t f = 0; f < some; f++) {
          const float sample = from.samples[(frame + f) * from.stride + k];
          for (uint32_t c = 0; c < count; c++) ofWeight[c] += sample * sums[f][c];
        }
      }
    }
  }
}

}  // namespace

Dropping::Dropping(double probability)
    : below(probability >= 1 ? UINT32_MAX : static_cast<uint32_t>(std::lround(probability * 4294967296.0))),
      scale(static_cast<float>(1 / (1 - probability))) {}

uint64_t rowKey(uint64_t seed, uint64_t row) {
  uint64_t x = seed + (row + 1) * 0x9e3779b97f4a7c15u;  // SplitMix64 (Steele et al. 2014)
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

FOR_EACH_PROCESSOR
void dropRow(const float* from, float* to, uint32_t count, uint64_t key, Dropping dropping) {
  dropNumbers(from, to, count, key, dropping);
}

FOR_EACH_PROCESSOR
void dropRow(const Bfloat16* from, Bfloat16* to, uint32_t count, uint64_t key, Dropping dropping) {
  dropNumbers(from, to, count, key, dropping);
}

FOR_EACH_PROCESSOR
void softmaxRow(float* row, const float* bias, uint32_t count, float scale) {
  const uint32_t whole = count / kLanes * kLanes;
  float largest[kLanes], sums[kLanes];
  for (uint32_t j = 0; j < kLanes; j++) {
    largest[j] = -INFINITY;
    sums[j] = 0;
  }
  if (bias) {
    for (uint32_t i = 0; i < count; i++) row[i] = row[i] * scale + bias[i];
  } else {
    for (uint32_t i = 0; i < count; i++) row[i] = row[i] * scale;
  }
  for (uint32_t i = 0; i < whole; i += kLanes)
    for (uint32_t j = 0; j < kLanes; j++) largest[j] = row[i + j] > largest[j] ? row[i + j] : largest[j];
  for (uint32_t i = whole; i < count; i++) largest[0] = row[i] > largest[0] ? row[i] : largest[0];
  float most = largest[0];
  for (uint32_t j = 1; j < kLanes; j++) most = largest[j] > most ? largest[j] : most;

  for (uint32_t i = 0; i < count; i++) row[i] = exponential(row[i] - most);
  for (uint32_t i = 0; i < whole; i += kLanes)
    for (uint32_t j = 0; j < kLanes; j++) sums[j] += row[i + j];
  for (uint32_t i = whole; i < count; i++) sums[0] += row[i];
  float sum = 0;
  for (uint32_t j = 0; j < kLanes; j++) sum += sums[j];
  const float share = 1 / sum;
  for (uint32_t i = 0; i < count; i++) row[i] *= share;
}

FOR_EACH_PROCESSOR
void droppedSoftmaxRowBackward(float* shares, float* gradient, uint32_t count, uint64_t key, Dropping dropping,
                               float scale) {
  const uint32_t whole = count / kLanes * kLanes;
  float sums[kLanes];
  for (uint32_t j = 0; j < kLanes; j++) sums[j] = 0;
  for (uint32_t i = 0; i < count; i++) gradient[i] = kept(gradient[i], i, key, dropping);
  for (uint32_t i = 0; i < whole; i += kLanes)
    for (uint32_t j = 0; j < kLanes; j++) sums[j] += shares[i + j] * gradient[i + j];
  for (uint32_t i = whole; i < count; i++) sums[0] += shares[i] * gradient[i];
  float sum = 0;
  for (uint32_t j = 0; j < kLanes; j++) sum += sums[j];
  for (uint32_t i = 0; i < count; i++) gradient[i] = shares[i] * (gradient[i] - sum) * scale;
  for (uint32_t i = 0; i < count; i++) shares[i] = kept(shares[i], i, key, dropping);
}

FOR_EACH_PROCESSOR
void geluConvolution(const OneChannel& convolution, uint32_t frames, float* to) { geluOfSums(convolution, frames, to); }

FOR_EACH_PROCESSOR
void geluConvolution(const OneChannel& convolution, uint32_t frames, Bfloat16* to) {
  geluOfSums(convolution, frames, to);
}

FOR_EACH_PROCESSOR
void geluConvolutionBackward(const OneChannel& convolution, uint32_t frames, const float* gradient, float* sums) {
  geluOfSumsBackward(convolution, frames, gradient, sums);
}

FOR_EACH_PROCESSOR
void geluConvolutionBackward(const OneChannel& convolution, uint32_t frames, const Bfloat16* gradient, float* sums) {
  geluOfSumsBackward(convolution, frames, gradient, sums);
}

}  // namespace bridge
