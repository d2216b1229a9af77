#pragma once
// Operators that a libtorch computes wrongly, and what is done about each. The numerics check finds them.
#include "../convert.h"

#include <string>
#include <vector>

namespace bridge {

enum class Workaround : uint8_t { None, ContiguousGradient, Float32, Float32Product, Float32NarrowConvolution };

// What the operator needs in the libtorch and on the processor that this runs with.
Workaround workaroundFor(const std::string& name);

// Calls the operator with its workaround.
void callAround(Workaround workaround, const c10::OperatorHandle& handle, const std::vector<Conversion>& arguments,
                torch::jit::Stack& stack);

// One line for every workaround in use.
std::vector<std::string> activeWorkarounds();

}  // namespace bridge
