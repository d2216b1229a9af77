// gelu(convolution) of one channel into many, as the first layer on a waveform. Its output is the largest tensor of a
// training step and takes almost no arithmetic: so nothing but it is kept, and what lies before GELU is computed again in
// the backward pass, a row at a time, which holds no gradient of that size either.
#include "gelu-convolution.h"

#include "../convert.h"
#include "parallel.h"
#include "rows.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

namespace bridge {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// For each clip and tap the samples that it multiplies, one behind another: every `stride`th sample from the tap's on.
class Taps {
 public:
  Taps(const at::Tensor& input, int64_t kernel, int64_t stride) : kernel_(kernel) {
    at::AutoDispatchBelowADInplaceOrView unrecorded;
    const int64_t missing = (stride - input.size(1) % stride) % stride;
    phases_ = at::constant_pad_nd(input, {0, missing}).view({input.size(0), -1, stride}).transpose(1, 2).contiguous();
    for (int64_t clip = 0; clip < input.size(0); clip++)
      for (int64_t k = 0; k < kernel; k++)
        starts_.push_back(phases_[clip][k % stride].data_ptr<float>() + k / stride);
  }
  const float* const* of(int64_t clip) const { return &starts_[clip * kernel_]; }

 private:
  int64_t kernel_;
  at::Tensor phases_;
  std::vector<const float*> starts_;
};

struct GeluConvolution : torch::autograd::Function<GeluConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, at::IntArrayRef frames, int64_t stride) {
    context->save_for_backward({input, weight, bias});
    context->saved_data["frames"] = frames.vec();
    context->saved_data["stride"] = stride;
    const int64_t channels = weight.size(1), kernel = weight.size(2), time = (input.size(1) - kernel) / stride + 1;
    const at::Tensor output = at::empty({input.size(0), channels, time}, input.options());
    const Taps taps(input, kernel, stride);
    const float *weights = weight.data_ptr<float>(), *biases = bias.data_ptr<float>();
    float* to = output.data_ptr<float>();
    inParallel(input.size(0) * channels, 1, [&](int64_t first, int64_t end) {
      for (int64_t row = first; row < end; row++) {
        const int64_t own = frames[row / channels];
        geluConvolutionRow(taps.of(row / channels), weights + row * kernel, kernel, biases[row], to + row * time, own);
        std::fill(to + row * time + own, to + (row + 1) * time, 0.0f);
      }
    });
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor none;
    if (!gradients[0].defined()) return {none, none, none, none, none};
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &bias = saved[2];
    const std::vector<int64_t> frames = context->saved_data["frames"].toIntVector();
    const int64_t stride = context->saved_data["stride"].toInt();
    if (at::GradMode::is_enabled()) return differentiable(input, weight, bias, frames, stride, gradients[0]);

    const int64_t channels = weight.size(1), kernel = weight.size(2);
    const at::Tensor gradient = gradients[0].contiguous();
    const int64_t time = gradient.size(2);
    const Taps taps(input, kernel, stride);
    const at::Tensor ofWeight = at::zeros(weight.sizes(), at::kDouble), ofBias = at::zeros(bias.sizes(), at::kDouble);
    const float *weights = weight.data_ptr<float>(), *biases = bias.data_ptr<float>();
    const float* from = gradient.data_ptr<float>();
    double *toWeight = ofWeight.data_ptr<double>(), *toBias = ofBias.data_ptr<double>();
    inParallel(input.size(0) * channels, 1, [&](int64_t first, int64_t end) {
      for (int64_t row = first; row < end; row++) {
        geluConvolutionRowBackward(taps.of(row / channels), weights + row * kernel, kernel, biases[row],
                                   from + row * time, frames[row / channels], toWeight + row * kernel, toBias + row);
      }
    });
    return {none, ofWeight.to(at::kFloat), ofBias.to(at::kFloat), none, none};
  }

 private:
  // The same from operators that have gradients of their own: for gradients of gradients.
  static variable_list differentiable(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                                      const std::vector<int64_t>& frames, int64_t stride, const at::Tensor& gradient) {
    const at::Tensor windows = input.unfold(1, weight.size(2), stride);  // [batch, time, kernel]
    const at::Tensor before = at::matmul(weight, windows.transpose(1, 2)) + bias.unsqueeze(2);
    const at::Tensor below = (at::erf(before * M_SQRT1_2) + 1) * 0.5;
    const at::Tensor density = at::exp(before * before * -0.5) * (M_SQRT1_2 / std::sqrt(M_PI));
    at::Tensor own = at::zeros({windows.size(0), 1, windows.size(1)}, input.options());
    for (size_t clip = 0; clip < frames.size(); clip++) own[clip].narrow(1, 0, frames[clip]).fill_(1);
    const at::Tensor ofBefore = gradient * own * (below + before * density);
    const at::Tensor none;
    return {none, at::matmul(ofBefore, windows), ofBefore.sum(2), none, none};
  }
};

// What the kernel reads and writes without looking.
void requireFitting(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                    const std::vector<int64_t>& frames, int64_t stride) {
  for (const at::Tensor* tensor : {&input, &weight, &bias})
    TORCH_CHECK(tensor->is_cpu() && tensor->scalar_type() == at::kFloat && tensor->layout() == at::kStrided,
                "must be of float32 on the CPU, but one is of ", tensor->scalar_type(), " on ", tensor->device());
  TORCH_CHECK(input.dim() == 2 && weight.dim() == 3 && bias.dim() == 2 && weight.size(0) == input.size(0) &&
                  bias.size(0) == input.size(0) && bias.size(1) == weight.size(1),
              "must be [batch, samples], [batch, channels, kernel] and [batch, channels], but are ", input.sizes(), ", ",
              weight.sizes(), " and ", bias.sizes());
  const int64_t kernel = weight.size(2);
  TORCH_CHECK(kernel >= 1 && kernel <= input.size(1), "the kernel must be of 1 to ", input.size(1),
              " samples, but is of ", kernel);
  TORCH_CHECK(stride >= 1 && stride <= input.size(1), "stride must be 1 to ", input.size(1), ", but is ", stride);
  TORCH_CHECK(static_cast<int64_t>(frames.size()) == input.size(0), "frames must be given for ", input.size(0),
              " clips, but are for ", frames.size());
  const int64_t time = (input.size(1) - kernel) / stride + 1;
  for (const int64_t count : frames)
    TORCH_CHECK(count >= 0 && count <= time, "frames of a clip must be 0 to ", time, ", but are ", count);
}

}  // namespace

// fastGeluConvolution(input, weight, bias, frames, stride) -> handle; for float32 on the CPU, without a gradient of the
// input. [batch, samples], [batch, channels, kernel] and [batch, channels] to [batch, channels, time], 0 behind each
// clip's frames.
napi_value fastGeluConvolution(Environment& environment, napi_value* values, size_t) {
  const at::Tensor input = tensorOf(environment, values[0]).contiguous();
  const at::Tensor weight = tensorOf(environment, values[1]).contiguous();
  const at::Tensor bias = tensorOf(environment, values[2]).contiguous();
  const std::vector<int64_t> frames = integersOf(environment.env, values[3]);
  const int64_t stride = integerOf(environment.env, values[4]);
  environment.origin = "conv1d";
  requireFitting(input, weight, bias, frames, stride);
  RECORD_FUNCTION("gelu convolution", {});
  return handleValue(environment, GeluConvolution::apply(input, weight, bias, at::IntArrayRef(frames), stride));
}

}  // namespace bridge
