#pragma once
// Arguments that libtorch itself does not look at and reads or divides by: a wrong one would end the process.
#include "libtorch.h"

#include <string>

namespace bridge {

using ArgumentCheck = void (*)(const torch::jit::Stack& arguments);

// nullptr for the operators that check their arguments themselves. A check throws ArgumentError.
ArgumentCheck argumentCheckFor(const std::string& name);

}  // namespace bridge
