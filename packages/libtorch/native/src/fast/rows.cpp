#include "rows.h"

#include <cmath>
#include <cstring>

// One version of a function for each kind of vectors; the dynamic linker chooses by the processor.
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
#define FOR_EACH_PROCESSOR __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

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

// Outputs of a convolution that are in the nearest cache at once.
constexpr uint32_t kOutputs = 512;

inline void convolve(const float* const* taps, const float* weight, uint32_t kernel, float bias, uint32_t first,
                     uint32_t count, float* sums) {
  for (uint32_t i = 0; i < count; i++) sums[i] = bias;
  for (uint32_t k = 0; k < kernel; k++) {
    const float* from = taps[k] + first;
    const float factor = weight[k];
    for (uint32_t i = 0; i < count; i++) sums[i] += factor * from[i];
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
  for (uint32_t i = 0; i < count; i++) to[i] = kept(from[i], i, key, dropping);
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
void geluConvolutionRow(const float* const* taps, const float* weight, uint32_t kernel, float bias, float* to,
                        uint32_t count) {
  float sums[kOutputs];
  for (uint32_t first = 0; first < count; first += kOutputs) {
    const uint32_t size = count - first < kOutputs ? count - first : kOutputs;
    convolve(taps, weight, kernel, bias, first, size, sums);
    for (uint32_t i = 0; i < size; i++) to[first + i] = sums[i] * gaussian(sums[i]).below;
  }
}

FOR_EACH_PROCESSOR
void geluConvolutionRowBackward(const float* const* taps, const float* weight, uint32_t kernel, float bias,
                                const float* gradient, uint32_t count, double* ofWeight, double* ofBias) {
  float sums[kOutputs];
  for (uint32_t first = 0; first < count; first += kOutputs) {
    const uint32_t size = count - first < kOutputs ? count - first : kOutputs;
    convolve(taps, weight, kernel, bias, first, size, sums);
    for (uint32_t i = 0; i < size; i++) {
      const Gaussian at = gaussian(sums[i]);
      sums[i] = gradient[first + i] * (at.below + sums[i] * at.density);
    }
    for (uint32_t i = size; i < kOutputs; i++) sums[i] = 0;
    float lanes[kLanes];
    for (uint32_t j = 0; j < kLanes; j++) lanes[j] = 0;
    for (uint32_t i = 0; i < kOutputs; i += kLanes)
      for (uint32_t j = 0; j < kLanes; j++) lanes[j] += sums[i + j];
    float sum = 0;
    for (uint32_t j = 0; j < kLanes; j++) sum += lanes[j];
    *ofBias += sum;
    for (uint32_t k = 0; k < kernel; k++) {
      const float* from = taps[k] + first;
      for (uint32_t j = 0; j < kLanes; j++) lanes[j] = 0;
      const uint32_t whole = size / kLanes * kLanes;
      for (uint32_t i = 0; i < whole; i += kLanes)
        for (uint32_t j = 0; j < kLanes; j++) lanes[j] += sums[i + j] * from[i + j];
      for (uint32_t i = whole; i < size; i++) lanes[0] += sums[i] * from[i];
      sum = 0;
      for (uint32_t j = 0; j < kLanes; j++) sum += lanes[j];
      ofWeight[k] += sum;
    }
  }
}

}  // namespace bridge
