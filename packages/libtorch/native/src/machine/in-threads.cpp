#include "in-threads.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace bridge {

void inThreads(size_t pieces, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  const auto take = [&] {
    for (size_t i; (i = next.fetch_add(1)) < pieces;) work(i);
  };
  std::vector<std::thread> helpers;
  const size_t threads = std::min<size_t>(at::get_num_threads(), pieces);
  helpers.reserve(threads);  // so that nothing but a thread itself can fail while some run
  try {
    for (size_t i = 1; i < threads; i++) helpers.emplace_back(take);
  } catch (const std::system_error&) {
    // The system gives no more threads: those there are do it.
  }
  take();
  for (std::thread& helper : helpers) helper.join();
}

}  // namespace bridge
