#pragma once
#include <cstdint>
#include <functional>

namespace bridge {

// Calls body(first, end) for parts of 0 to count of at least `grain`, by libtorch's threads. (at::parallel_for would be
// compiled here, with another OpenMP than libtorch's own or none.)
void inParallel(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

}  // namespace bridge
