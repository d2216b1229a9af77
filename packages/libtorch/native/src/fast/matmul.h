#pragma once
#include "../libtorch.h"

namespace bridge {

// Products of large float32 matrices are oneDNN's from now on, on processors where it is faster than MKL. Once a process.
void installFastMatmul();

// Whether products of matrices of this one's type and place copy what does not lie densely, as oneDNN's do.
bool productsCopyStrided(const at::Tensor& matrix);

}  // namespace bridge
