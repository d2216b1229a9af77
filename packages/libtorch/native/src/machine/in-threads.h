#pragma once
// Pieces of work that threads share.
#include <cstddef>
#include <functional>

namespace bridge {

// Calls `work` with 0 to below `pieces`, each once, on as many threads as an operator has. `work` must not throw.
void inThreads(size_t pieces, const std::function<void(size_t)>& work);

}  // namespace bridge
