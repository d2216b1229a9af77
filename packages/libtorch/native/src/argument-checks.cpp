#include "argument-checks.h"

#include "errors.h"

namespace bridge {

namespace {

void checkRange(const char* what, int64_t value, int64_t lowest, int64_t highest) {
  if (value >= lowest && value <= highest) return;
  throw ArgumentError(std::string(what) + " must be " + std::to_string(lowest) + " to " + std::to_string(highest) +
                      ", but one is " + std::to_string(value));
}

bool isIntegersOnCpu(const at::Tensor& tensor) {
  return tensor.is_cpu() && at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false);
}

// Classes index the log-probabilities, lengths index the frames and the targets. Shapes are libtorch's to check.
void checkCtcLoss(const torch::jit::Stack& arguments) {
  const at::Tensor logProbabilities = arguments[0].toTensor(), targets = arguments[1].toTensor();
  const at::Tensor inputLengths = arguments[2].toTensor(), targetLengths = arguments[3].toTensor();
  if (logProbabilities.dim() < 2 || !isIntegersOnCpu(targets) || !isIntegersOnCpu(inputLengths) ||
      !isIntegersOnCpu(targetLengths)) {
    return;
  }
  const int64_t frames = logProbabilities.size(0), classes = logProbabilities.size(-1);
  const at::Tensor inputs = inputLengths.to(at::kLong).contiguous();
  for (int64_t i = 0; i < inputs.numel(); i++) checkRange("input lengths", inputs.data_ptr<int64_t>()[i], 0, frames);
  const at::Tensor lengths = targetLengths.to(at::kLong).contiguous();
  const at::Tensor classesOf = targets.to(at::kLong).contiguous();
  const int64_t width = targets.dim() == 2 ? targets.size(1) : 0;
  int64_t end = 0;
  for (int64_t i = 0; i < lengths.numel(); i++) {
    const int64_t length = lengths.data_ptr<int64_t>()[i];
    const int64_t start = targets.dim() == 2 ? i * width : end;
    checkRange("target lengths", length, 0, targets.dim() == 2 ? width : classesOf.numel() - end);
    end = start + length;
    if (end > classesOf.numel()) return;  // more lengths than rows: libtorch says so
    for (int64_t j = start; j < end; j++) checkRange("targets", classesOf.data_ptr<int64_t>()[j], 0, classes - 1);
  }
}

// The fused kernel reads one magnitude for each index of the dimension.
void checkWeightNorm(const torch::jit::Stack& arguments) {
  const at::Tensor directions = arguments[0].toTensor(), magnitudes = arguments[1].toTensor();
  const int64_t dimension = arguments[2].toInt();
  if (dimension < 0 || dimension >= directions.dim()) return;
  if (directions.numel() == 0) throw ArgumentError("'v' must not be empty, but is " + describe(directions));
  if (magnitudes.numel() == directions.size(dimension)) return;
  throw ArgumentError("'g' must have " + std::to_string(directions.size(dimension)) + " elements, as 'v' in dimension " +
                      std::to_string(dimension) + ", but is " + describe(magnitudes));
}

// The flash kernel reads a value for every key.
void checkAttention(const torch::jit::Stack& arguments) {
  const at::Tensor key = arguments[1].toTensor(), value = arguments[2].toTensor();
  if (key.dim() < 2 || value.dim() < 2 || key.size(-2) == value.size(-2)) return;
  throw ArgumentError("'value' must be as long as 'key', " + describe(key) + ", but is " + describe(value));
}

}  // namespace

ArgumentCheck argumentCheckFor(const std::string& name) {
  if (name == "ctc_loss.Tensor") return checkCtcLoss;
  if (name == "_weight_norm") return checkWeightNorm;
  if (name == "scaled_dot_product_attention") return checkAttention;
  return nullptr;
}

}  // namespace bridge
