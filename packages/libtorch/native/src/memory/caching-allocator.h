#pragma once
#include <cstddef>

namespace bridge {

// Makes libtorch's CPU tensors keep large blocks instead of returning them to the system after every operator:
// mapping and zeroing pages took up to half of a forward pass.
void installCachingAllocator();

struct CacheStatistics {
  size_t liveBytes;
  size_t peakLiveBytes;
  size_t cachedBytes;
};
CacheStatistics cacheStatistics();
void emptyCache();

}  // namespace bridge
