#pragma once
#include "../environment.h"

namespace bridge {

napi_value fastLongConvolution(Environment& environment, napi_value* values, size_t count);
napi_value longConvolutionSpectra(Environment& environment, napi_value* values, size_t count);

}  // namespace bridge
