// Convolution over time with many taps as a product of spectra (Oppenheim and Schafer, Discrete-Time Signal Processing,
// section 8.7: overlap-save): windows twice as long as the kernel, which overlap by it.
#include "long-convolution.h"

#include "../convert.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

namespace bridge {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Windows of channels that are in the frequency domain at once: 4 MB for 128 taps, and as much again at each step.
constexpr int64_t kSignals = 4096;

struct Shape {
  Shape(const at::Tensor& input, const at::Tensor& weight, int64_t padding, int64_t groups)
      : batch(input.size(0)), time(input.size(2)), taps(weight.size(2)), padding(padding), groups(groups),
        read(weight.size(1)), written(weight.size(0) / groups), frames(time + 2 * padding - taps + 1) {
    while (size < 2 * taps) size *= 2;  // of which the kernel takes half at most; fast to transform
    hop = size - taps + 1;
    perClip = (frames + hop - 1) / hop;
    // A part of the groups at a time: in the frequency domain windows are several times as large as the frames.
    most = std::clamp<int64_t>(kSignals / (batch * perClip * std::max(read, written)), 1, groups);
  }
  int64_t batch, time, taps, padding, groups, read, written, frames;
  int64_t size = 1, hop, perClip, most;

  int64_t rows() const { return batch * perClip; }
  int64_t frequencies() const { return size / 2 + 1; }
};

// [batch, channels, time] with `before` zeros in front to windows [batch, windows of a clip, channels, size], of which each
// begins a hop behind the one before.
at::Tensor windowsOf(const at::Tensor& x, int64_t before, const Shape& shape) {
  const int64_t behind = (shape.perClip - 1) * shape.hop + shape.size - x.size(2) - before;
  return at::constant_pad_nd(x.transpose(1, 2), {0, 0, before, behind}).unfold(1, shape.size, shape.hop);
}

// Some groups' windows to [groups, frequencies, rows, channels of a group].
at::Tensor spectraOf(const at::Tensor& windows, int64_t groups, const Shape& shape) {
  return at::fft_rfft(windows)
      .reshape({shape.rows(), groups, windows.size(2) / groups, shape.frequencies()})
      .permute({1, 3, 0, 2});
}

// Weight of some groups [channels out, channels in of a group, taps] to its taps' spectra in reverse order, [groups,
// frequencies, channels in, channels out of a group].
at::Tensor weightSpectra(const at::Tensor& weight, int64_t groups, const Shape& shape) {
  const at::Tensor taps = weight.flip({2}).view({groups, weight.size(0) / groups, weight.size(1), shape.taps});
  return at::fft_rfft(taps, shape.size).permute({0, 3, 2, 1});
}

// Product of [groups, frequencies, a, b] and [groups, frequencies, b, c].
at::Tensor product(const at::Tensor& first, const at::Tensor& second) {
  return at::bmm(first.flatten(0, 1), second.flatten(0, 1)).view({first.size(0), first.size(1), first.size(2), second.size(3)});
}

// A part of signals with spectra [groups, frequencies, rows, channels of a group], as [batch, frames, channels].
at::Tensor signalsOf(const at::Tensor& spectra, int64_t first, int64_t frames, const Shape& shape) {
  return at::fft_irfft(spectra, shape.size, 1)  // [groups, size, rows, channels of a group]
      .narrow(1, first, shape.hop)              // the others are of windows that wrap around
      .permute({2, 1, 0, 3})
      .reshape({shape.batch, shape.perClip * shape.hop, spectra.size(0) * spectra.size(3)})
      .narrow(1, 0, frames);
}

// Calls body(first group, groups) for parts of the groups.
template <typename Body>
void eachPart(const Shape& shape, const Body& body) {
  for (int64_t group = 0; group < shape.groups; group += shape.most) body(group, std::min(shape.most, shape.groups - group));
}

// The spectra of all groups, one at a time: what lies between is as large as the result.
at::Tensor allSpectra(const at::Tensor& weight, const Shape& shape) {
  const at::Tensor spectra =
      at::empty({shape.groups, shape.frequencies(), shape.read, shape.written}, weight.options().dtype(at::kComplexFloat));
  for (int64_t group = 0; group < shape.groups; group++)
    spectra.narrow(0, group, 1).copy_(weightSpectra(weight.narrow(0, group * shape.written, shape.written), 1, shape));
  return spectra;
}

at::Tensor convolve(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& spectra, const Shape& shape) {
  const at::Tensor windows = windowsOf(input, shape.padding, shape);
  const at::Tensor output = at::empty({shape.batch, shape.frames, shape.groups * shape.written}, input.options());
  eachPart(shape, [&](int64_t group, int64_t some) {
    const at::Tensor own = spectra.numel() > 0
                               ? spectra.narrow(0, group, some)
                               : weightSpectra(weight.narrow(0, group * shape.written, some * shape.written), some, shape);
    const at::Tensor read = spectraOf(windows.narrow(2, group * shape.read, some * shape.read), some, shape);
    output.narrow(2, group * shape.written, some * shape.written)
        .copy_(signalsOf(product(read, own), shape.size - shape.hop, shape.frames, shape));
  });
  return output.transpose(1, 2);
}

struct LongConvolution : torch::autograd::Function<LongConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& spectra, int64_t padding, int64_t groups) {
    context->save_for_backward({input, weight});
    context->saved_data["padding"] = padding;
    context->saved_data["groups"] = groups;
    at::AutoDispatchBelowADInplaceOrView unrecorded;
    return convolve(input, weight, spectra, Shape(input, weight, padding, groups));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor none;
    if (!gradients[0].defined()) return {none, none, none, none, none};
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const int64_t padding = context->saved_data["padding"].toInt(), groups = context->saved_data["groups"].toInt();
    const bool ofInput = context->needs_input_grad(0), ofWeight = context->needs_input_grad(1);
    if (at::GradMode::is_enabled()) {
      const auto [first, second, third] =
          at::convolution_backward(gradients[0], input, weight, at::OptionalIntArrayRef(), {1}, {padding}, {1}, false, {0},
                                   groups, {ofInput, ofWeight, false});
      return {first, second, none, none, none};
    }
    const Shape shape(input, weight, padding, groups);
    return {ofInput ? gradientOfInput(weight, gradients[0], shape) : none,
            ofWeight ? gradientOfWeight(input, gradients[0], shape) : none, none, none, none};
  }

 private:
  // The gradient convolved with the taps in their own order: the conjugate of the reversed ones' spectra, `taps - 1` earlier.
  static at::Tensor gradientOfInput(const at::Tensor& weight, const at::Tensor& gradient, const Shape& shape) {
    // As many windows as the input has frames for, which may be one more or less than the output's.
    Shape inverse = shape;
    inverse.perClip = (shape.time + shape.hop - 1) / shape.hop;
    // Frames of the gradient that no frame of the input takes part in are cut off in front.
    const at::Tensor windows = windowsOf(gradient, shape.taps - 1 - shape.padding, inverse);
    const at::Tensor result = at::empty({shape.batch, shape.time, shape.groups * shape.read}, gradient.options());
    eachPart(inverse, [&](int64_t group, int64_t some) {
      const at::Tensor own = weightSpectra(weight.narrow(0, group * shape.written, some * shape.written), some, shape);
      const at::Tensor read = spectraOf(windows.narrow(2, group * shape.written, some * shape.written), some, inverse);
      result.narrow(2, group * shape.read, some * shape.read)
          .copy_(signalsOf(product(read, own.transpose(2, 3).conj()), 0, shape.time, inverse));
    });
    return result.transpose(1, 2);
  }

  // For each tap the sum over frames of gradient times input so many frames later. Windows of the gradient are a hop long,
  // and zeros behind that.
  static at::Tensor gradientOfWeight(const at::Tensor& input, const at::Tensor& gradient, const Shape& shape) {
    const at::Tensor windows = windowsOf(input, shape.padding, shape);
    const at::Tensor hops = at::constant_pad_nd(gradient, {0, shape.perClip * shape.hop - shape.frames})
                                .view({shape.batch, shape.groups * shape.written, shape.perClip, shape.hop})
                                .transpose(1, 2);  // [batch, windows of a clip, channels out, hop]
    const at::Tensor result = at::empty({shape.groups, shape.written, shape.read, shape.taps}, gradient.options());
    eachPart(shape, [&](int64_t group, int64_t some) {
      const at::Tensor later = spectraOf(windows.narrow(2, group * shape.read, some * shape.read), some, shape);
      const at::Tensor padded = at::constant_pad_nd(hops.narrow(2, group * shape.written, some * shape.written),
                                                    {0, shape.size - shape.hop});
      const at::Tensor now = spectraOf(padded, some, shape);
      const at::Tensor sums = product(later.transpose(2, 3), now.conj());  // [groups, frequencies, channels in, channels out]
      result.narrow(0, group, some).copy_(at::fft_irfft(sums, shape.size, 1).narrow(1, 0, shape.taps).permute({0, 3, 2, 1}));
    });
    return result.flatten(0, 1);
  }
};

}  // namespace

// fastLongConvolution(input, weight, spectra or undefined, padding, groups) -> handle; for float32 on the CPU. [batch, channels
// in, time] and [channels out, channels in of a group, taps] to [batch, channels out, time + 2 padding - taps + 1].
napi_value fastLongConvolution(Environment& environment, napi_value* values, size_t) {
  const at::Tensor input = tensorOf(environment, values[0]), weight = tensorOf(environment, values[1]);
  napi_valuetype type;
  check(environment.env, napi_typeof(environment.env, values[2], &type));
  const at::Tensor spectra = type == napi_undefined ? at::empty({0}) : tensorOf(environment, values[2]);
  const int64_t padding = integerOf(environment.env, values[3]), groups = integerOf(environment.env, values[4]);
  environment.origin = "conv1d";
  RECORD_FUNCTION("long convolution", {});
  c10::impl::ExcludeDispatchKeyGuard exact(c10::DispatchKey::AutocastCPU);
  return handleValue(environment, LongConvolution::apply(input, weight, spectra, padding, groups));
}

// longConvolutionSpectra(input, weight, padding, groups) -> handle of what makes that faster where the weight stays as it is
napi_value longConvolutionSpectra(Environment& environment, napi_value* values, size_t) {
  const at::Tensor input = tensorOf(environment, values[0]), weight = tensorOf(environment, values[1]);
  const int64_t padding = integerOf(environment.env, values[2]), groups = integerOf(environment.env, values[3]);
  environment.origin = "conv1d";
  at::AutoDispatchBelowADInplaceOrView unrecorded;
  return handleValue(environment, allSpectra(weight, Shape(input, weight, padding, groups)));
}

}  // namespace bridge
