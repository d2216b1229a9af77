#include "argument-checks.h"

#include "errors.h"

namespace bridge {

namespace {

void checkRange(const char* what, int64_t value, int64_t lowest, int64_t highest) {
  if (value >= lowest && value <= highest) return;
  throw ArgumentError(std::string(what) + " must be " + std::to_string(lowest) + " to " + std::to_string(highest) +
                      ", but one is " + std::to_string(value));
}

// Classes index the log-probabilities, lengths index the frames and the targets. Shapes are libtorch's to check. Classes
// are looked at where they are in the CPU's memory; elsewhere that would wait for the device.
void checkCtcLoss(const torch::jit::Stack& arguments) {
  const at::Tensor logProbabilities = arguments[0].toTensor(), targets = arguments[1].toTensor();
  const std::vector<int64_t> inputLengths = arguments[2].toIntVector(), lengths = arguments[3].toIntVector();
  if (logProbabilities.dim() < 2 || !at::isIntegralType(targets.scalar_type(), /*includeBool=*/false)) return;
  const int64_t frames = logProbabilities.size(0), classes = logProbabilities.size(-1);
  for (int64_t length : inputLengths) checkRange("input lengths", length, 0, frames);
  const at::Tensor classesOf = targets.is_cpu() ? targets.to(at::kLong).contiguous() : at::Tensor();
  const int64_t width = targets.dim() == 2 ? targets.size(1) : 0;
  int64_t end = 0;
  for (size_t i = 0; i < lengths.size(); i++) {
    const int64_t start = targets.dim() == 2 ? static_cast<int64_t>(i) * width : end;
    checkRange("target lengths", lengths[i], 0, targets.dim() == 2 ? width : targets.numel() - end);
    end = start + lengths[i];
    if (end > targets.numel()) return;  // more lengths than rows: libtorch says so
    if (!classesOf.defined()) continue;
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
  if (name == "ctc_loss.IntList") return checkCtcLoss;
  if (name == "_weight_norm") return checkWeightNorm;
  if (name == "scaled_dot_product_attention") return checkAttention;
  return nullptr;
}

}  // namespace bridge
