// gelu(convolution) of one channel into many, as the first layer on a waveform. Its output is the largest tensor of a
// training step and takes almost no arithmetic: so nothing but it is kept, and what lies before GELU is computed again in
// the backward pass, a few frames at a time, which holds no gradient of that size either.
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

constexpr int64_t kFramesAtOnce = 512;

// What each clip is convolved with; weight [batch, channels, kernel] as [batch, kernel, channels].
class Convolutions {
 public:
  Convolutions(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
               const std::vector<int64_t>& frames, int64_t stride)
      : input_(input), bias_(bias), frames_(frames), stride_(stride), kernel_(weight.size(2)), channels_(weight.size(1)),
        time_((input.size(1) - kernel_) / stride + 1) {
    at::AutoDispatchBelowADInplaceOrView unrecorded;
    weight_ = weight.transpose(1, 2).contiguous();
  }

  int64_t parts() const { return (time_ + kFramesAtOnce - 1) / kFramesAtOnce; }

  // Calls body(part through all clips, convolution, its first frame of [batch * time], frames, how many of them are a clip's
  // own) by all threads.
  template <typename Body>
  void eachPart(const Body& body) const {
    const float *samples = input_.data_ptr<float>(), *weights = weight_.data_ptr<float>(), *biases = bias_.data_ptr<float>();
    inParallel(input_.size(0) * parts(), 1, [&](int64_t from, int64_t end) {
      for (int64_t part = from; part < end; part++) {
        const int64_t clip = part / parts(), first = part % parts() * kFramesAtOnce;
        const int64_t count = std::min(kFramesAtOnce, time_ - first);
        const OneChannel convolution = {samples + clip * input_.size(1) + first * stride_, stride_,
                                        weights + clip * kernel_ * channels_, biases + clip * channels_,
                                        static_cast<uint32_t>(kernel_), static_cast<uint32_t>(channels_)};
        const int64_t own = std::clamp<int64_t>(frames_[clip] - first, 0, count);
        body(part, convolution, clip * time_ + first, count, own);
      }
    });
  }

 private:
  at::Tensor input_, weight_, bias_;
  const std::vector<int64_t>& frames_;
  int64_t stride_, kernel_, channels_, time_;
};

template <typename Number>
Number* numbersOf(const at::Tensor& tensor) {
  return static_cast<Number*>(tensor.data_ptr());
}

template <typename Number>
void convolve(const Convolutions& convolutions, const at::Tensor& output) {
  const int64_t channels = output.size(2);
  convolutions.eachPart([&](int64_t, const OneChannel& convolution, int64_t first, int64_t count, int64_t own) {
    Number* to = numbersOf<Number>(output) + first * channels;
    geluConvolution(convolution, static_cast<uint32_t>(own), to);
    std::fill(to + own * channels, to + count * channels, Number{});
  });
}

template <typename Number>
void convolveBackward(const Convolutions& convolutions, const at::Tensor& gradient, const at::Tensor& sums) {
  const int64_t channels = gradient.size(2), numbers = sums.size(2) * channels;
  convolutions.eachPart([&](int64_t part, const OneChannel& convolution, int64_t first, int64_t, int64_t own) {
    geluConvolutionBackward(convolution, static_cast<uint32_t>(own), numbersOf<Number>(gradient) + first * channels,
                            numbersOf<float>(sums) + part * numbers);
  });
}

struct GeluConvolution : torch::autograd::Function<GeluConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            const at::Tensor& bias, at::IntArrayRef frames, int64_t stride, at::ScalarType dtype) {
    context->save_for_backward({input, weight, bias});
    context->saved_data["frames"] = frames.vec();
    context->saved_data["stride"] = stride;
    const int64_t channels = weight.size(1), time = (input.size(1) - weight.size(2)) / stride + 1;
    const at::Tensor output = at::empty({input.size(0), time, channels}, input.options().dtype(dtype));
    const std::vector<int64_t> own = frames.vec();
    const Convolutions convolutions(input, weight, bias, own, stride);
    dtype == at::kFloat ? convolve<float>(convolutions, output) : convolve<Bfloat16>(convolutions, output);
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor none;
    if (!gradients[0].defined()) return {none, none, none, none, none, none};
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1], &bias = saved[2];
    const std::vector<int64_t> frames = context->saved_data["frames"].toIntVector();
    const int64_t stride = context->saved_data["stride"].toInt();
    if (at::GradMode::is_enabled()) return differentiable(input, weight, bias, frames, stride, gradients[0]);

    const int64_t batch = weight.size(0), channels = weight.size(1), kernel = weight.size(2);
    const at::Tensor gradient = gradients[0].contiguous();
    const Convolutions convolutions(input, weight, bias, frames, stride);
    const at::Tensor sums = at::empty({batch, convolutions.parts(), kernel + 1, channels}, at::kFloat);
    gradient.scalar_type() == at::kFloat ? convolveBackward<float>(convolutions, gradient, sums)
                                         : convolveBackward<Bfloat16>(convolutions, gradient, sums);
    const at::Tensor sum = sums.sum({1}, false, at::kDouble).to(at::kFloat);  // [batch, kernel + 1, channels]
    return {none, sum.narrow(1, 0, kernel).transpose(1, 2), sum.select(1, kernel), none, none, none};
  }

 private:
  // The same from operators that have gradients of their own: for gradients of gradients.
  static variable_list differentiable(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                                      const std::vector<int64_t>& frames, int64_t stride, const at::Tensor& gradient) {
    const at::Tensor windows = input.unfold(1, weight.size(2), stride);  // [batch, time, kernel]
    const at::Tensor before = at::matmul(windows, weight.transpose(1, 2)) + bias.unsqueeze(1);
    const at::Tensor below = (at::erf(before * M_SQRT1_2) + 1) * 0.5;
    const at::Tensor density = at::exp(before * before * -0.5) * (M_SQRT1_2 / std::sqrt(M_PI));
    at::Tensor own = at::zeros({windows.size(0), windows.size(1), 1}, input.options());
    for (size_t clip = 0; clip < frames.size(); clip++) own[clip].narrow(0, 0, frames[clip]).fill_(1);
    const at::Tensor ofBefore = gradient * own * (below + before * density);
    const at::Tensor none;
    return {none, at::matmul(ofBefore.transpose(1, 2), windows), ofBefore.sum(1), none, none, none};
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

// fastGeluConvolution(input, weight, bias, frames, stride, dtype) -> handle of dtype, float32 or bfloat16; for float32 on the
// CPU, without a gradient of the input. [batch, samples], [batch, channels, kernel] and [batch, channels] to [batch, time,
// channels], 0 behind each clip's frames.
napi_value fastGeluConvolution(Environment& environment, napi_value* values, size_t) {
  const at::Tensor input = tensorOf(environment, values[0]).contiguous();
  const at::Tensor weight = tensorOf(environment, values[1]).contiguous();
  const at::Tensor bias = tensorOf(environment, values[2]).contiguous();
  const std::vector<int64_t> frames = integersOf(environment.env, values[3]);
  const int64_t stride = integerOf(environment.env, values[4]);
  const at::ScalarType dtype = dtypeNamed(stringOf(environment.env, values[5]));
  environment.origin = "conv1d";
  requireFitting(input, weight, bias, frames, stride);
  TORCH_CHECK(dtype == at::kFloat || dtype == at::kBFloat16, "dtype must be float32 or bfloat16, but is ", dtype);
  RECORD_FUNCTION("gelu convolution", {});
  return handleValue(environment,
                     GeluConvolution::apply(input, weight, bias, at::IntArrayRef(frames), stride, dtype));
}

}  // namespace bridge
