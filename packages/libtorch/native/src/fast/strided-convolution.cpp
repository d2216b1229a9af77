// A convolution over [batch, time, channels] as matrix products: `stride` frames side by side are one row of a view of the
// input, a window is a few such rows, and nothing is transposed, neither here nor in the backward pass.
#include "strided-convolution.h"

#include "../autograd/autocast.h"
#include "../convert.h"
#include "../machine/workarounds.h"
#include "matmul.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

namespace bridge {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Frames whose parts are computed one after the other where rows are copied: what one part left in the cache the others take.
constexpr int64_t kPiece = 1024;

// Windows of one clip, `stride` taps at a time.
struct Windows {
  int64_t time, channels, kernel, stride;
  bool copied;
  int64_t frames = (time - kernel) / stride + 1;
  int64_t parts = (kernel + stride - 1) / stride;

  int64_t width(int64_t part) const { return std::min(stride, kernel - part * stride) * channels; }
  // [count, width] of [time, channels], from a frame on: a view
  at::Tensor of(const at::Tensor& clip, int64_t part, int64_t first, int64_t count) const {
    return clip.as_strided({count, width(part)}, {stride * channels, 1},
                           clip.storage_offset() + (part + first) * stride * channels);
  }
  // The same as products take it: rows that do not lie one right behind the other are copied while they are in the cache,
  // where the product would copy them itself.
  at::Tensor factor(const at::Tensor& clip, int64_t part, int64_t first, int64_t count) const {
    const at::Tensor rows = of(clip, part, first, count);
    return copied ? rows.contiguous() : rows;
  }
  // sums = first second, or more to it
  void multiply(at::Tensor sums, const at::Tensor& first, const at::Tensor& second, bool adds) const {
    if (!copied || sums.is_contiguous()) {
      at::addmm_out(sums, sums, first, second, adds ? 1 : 0);
    } else {
      const at::Tensor product = at::mm(first, second);
      adds ? sums.add_(product) : sums.copy_(product);
    }
  }
  // [channels out, width] of each part, of [channels out, channels, kernel]
  std::vector<at::Tensor> taps(const at::Tensor& weight) const {
    std::vector<at::Tensor> taps;
    for (int64_t part = 0; part < parts; part++)
      taps.push_back(weight.narrow(2, part * stride, width(part) / channels).transpose(1, 2).flatten(1).contiguous());
    return taps;
  }
  // Calls use(part, first frame, count) for each part of each piece. The last piece comes first: the rows of the input that
  // a piece shares with a later one are that one's first part's.
  template <typename Use>
  void each(const Use& use) const {
    const int64_t piece = copied ? kPiece : frames;
    for (int64_t first = (frames - 1) / piece * piece; first >= 0; first -= piece)
      for (int64_t part = 0; part < parts; part++) use(part, first, std::min(piece, frames - first));
  }
};

Windows windowsOf(const at::Tensor& input, const at::Tensor& weight, int64_t stride) {
  return {input.size(1), input.size(2), weight.size(2), stride, productsCopyStrided(input)};
}

struct StridedConvolution : torch::autograd::Function<StridedConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight, int64_t stride) {
    context->save_for_backward({input, weight});
    context->saved_data["stride"] = stride;
    at::AutoDispatchBelowADInplaceOrView unrecorded;
    const Windows windows = windowsOf(input, weight, stride);
    const std::vector<at::Tensor> taps = windows.taps(weight);
    const at::Tensor output = at::empty({input.size(0), windows.frames, weight.size(0)}, input.options());
    for (int64_t clip = 0; clip < input.size(0); clip++) {
      windows.each([&](int64_t part, int64_t first, int64_t count) {
        windows.multiply(output[clip].narrow(0, first, count), windows.factor(input[clip], part, first, count),
                         taps[part].t(), part > 0);
      });
    }
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor none;
    if (!gradients[0].defined()) return {none, none, none};
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const int64_t stride = context->saved_data["stride"].toInt();
    const std::array<bool, 2> wanted = {context->needs_input_grad(0), context->needs_input_grad(1)};
    if (at::GradMode::is_enabled()) return differentiable(input, weight, stride, gradients[0], wanted);
    const at::Tensor gradient = gradients[0].contiguous();
    return {wanted[0] ? ofInput(input, weight, stride, gradient) : none,
            wanted[1] ? ofWeight(input, weight, stride, gradient) : none, none};
  }

 private:
  static at::Tensor ofInput(const at::Tensor& input, const at::Tensor& weight, int64_t stride, const at::Tensor& gradient) {
    const Windows windows = windowsOf(input, weight, stride);
    const std::vector<at::Tensor> taps = windows.taps(weight);
    const at::Tensor result = at::empty_like(input);
    // The first part writes all but what lies behind the last row, or all that no window covers.
    const int64_t written = windows.kernel < stride ? 0 : windows.frames * stride;
    result.narrow(1, written, windows.time - written).zero_();
    for (int64_t clip = 0; clip < input.size(0); clip++) {
      windows.each([&](int64_t part, int64_t first, int64_t count) {
        windows.multiply(windows.of(result[clip], part, first, count), gradient[clip].narrow(0, first, count), taps[part],
                         part > 0);
      });
    }
    return result;
  }

  // Summed over clips in float32.
  static at::Tensor ofWeight(const at::Tensor& input, const at::Tensor& weight, int64_t stride, const at::Tensor& gradient) {
    const Windows windows = windowsOf(input, weight, stride);
    const auto like = input.options().dtype(input.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
    std::vector<at::Tensor> taps;
    for (int64_t part = 0; part < windows.parts; part++) taps.push_back(at::zeros({weight.size(0), windows.width(part)}, like));
    for (int64_t clip = 0; clip < input.size(0); clip++) {
      windows.each([&](int64_t part, int64_t first, int64_t count) {
        const at::Tensor rows = windows.factor(input[clip], part, first, count);
        const at::Tensor over = gradient[clip].narrow(0, first, count).t();
        if (input.scalar_type() == like.dtype()) {
          at::addmm_out(taps[part], taps[part], over, rows);
        } else {
          taps[part].add_(at::mm(over, rows));
        }
      });
    }
    return at::cat(taps, 1).view({weight.size(0), windows.kernel, windows.channels}).transpose(1, 2).to(weight.scalar_type()).contiguous();
  }

  // The same from an operator that has gradients of its own: for gradients of gradients.
  static variable_list differentiable(const at::Tensor& input, const at::Tensor& weight, int64_t stride,
                                      const at::Tensor& gradient, std::array<bool, 2> wanted) {
    const auto [ofInput, ofWeight, ofBias] =
        at::convolution_backward(gradient.transpose(1, 2), input.transpose(1, 2), weight, at::OptionalIntArrayRef(), {stride},
                                 {0}, {1}, false, {0}, 1, {wanted[0], wanted[1], false});
    return {ofInput.defined() ? ofInput.transpose(1, 2) : ofInput, ofWeight, at::Tensor()};
  }
};

void requireFitting(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias, int64_t stride) {
  TORCH_CHECK(input.dim() == 3 && weight.dim() == 3 && weight.size(1) == input.size(2),
              "input and weight must be [batch, time, channels] and [channels out, channels, kernel], but are ", input.sizes(), " and ",
              weight.sizes());
  TORCH_CHECK(!bias.defined() || (bias.dim() == 1 && bias.size(0) == weight.size(0)), "bias must be [", weight.size(0),
              "], but is ", bias.sizes());
  const bool isCast = autocastState(input.device().type()).enabled;
  TORCH_CHECK(input.is_floating_point() && (isCast ? weight.is_floating_point() : weight.scalar_type() == input.scalar_type()) &&
                  input.device() == weight.device(),
              "input and weight must be of one floating-point type on one device, but are of ", input.scalar_type(), " on ", input.device(),
              " and of ", weight.scalar_type(), " on ", weight.device());
  TORCH_CHECK(weight.size(2) >= 1 && weight.size(2) <= input.size(1), "the kernel must be of 1 to ", input.size(1),
              " frames, but is of ", weight.size(2));
  TORCH_CHECK(stride >= 1, "stride must be 1 or more, but is ", stride);
}

// What products are computed in: as autocast says, or as the operands are.
at::ScalarType productDtype(const at::Tensor& input) {
  const AutocastState autocast = autocastState(input.device().type());
  return autocast.enabled && input.scalar_type() != at::kDouble ? autocast.dtype : input.scalar_type();
}

}  // namespace

// fastStridedConvolution(input, weight, bias or undefined, stride) -> handle. [batch, time, channels], [channels out, channels,
// kernel] and [channels out] to [batch, floor((time - kernel) / stride) + 1, channels out].
napi_value fastStridedConvolution(Environment& environment, napi_value* values, size_t) {
  const at::Tensor input = tensorOf(environment, values[0]), weight = tensorOf(environment, values[1]);
  napi_valuetype type;
  check(environment.env, napi_typeof(environment.env, values[2], &type));
  const at::Tensor bias = type == napi_undefined ? at::Tensor() : tensorOf(environment, values[2]);
  const int64_t stride = integerOf(environment.env, values[3]);
  environment.origin = "conv1d";
  requireFitting(input, weight, bias, stride);
  RECORD_FUNCTION("strided convolution", {});
  const at::ScalarType dtype = productDtype(input);
  const bool isReduced = dtype == at::kBFloat16 || dtype == at::kHalf;
  const at::ScalarType within = isReduced && input.is_cpu() && workaroundFor("mm") != Workaround::None ? at::kFloat : dtype;
  at::Tensor sums = StridedConvolution::apply(input.to(dtype).to(within).contiguous(), weight.to(dtype).to(within), stride);
  sums = sums.to(dtype);
  return handleValue(environment, bias.defined() ? sums.add_(bias.to(dtype)) : sums);
}

}  // namespace bridge
