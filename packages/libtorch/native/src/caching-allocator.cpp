#include "caching-allocator.h"

#include "libtorch.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <unordered_map>
#if defined(__linux__)
#include <malloc.h>
#include <sys/mman.h>
#endif

namespace bridge {

namespace {

constexpr size_t kSmallest = 64 << 10;  // smaller blocks are malloc's business
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kSlack = 64 << 20;

// Straight from the system: malloc would keep what is freed here in pieces that nothing fits into again.
#if defined(__linux__)
void* map(size_t bytes) {
  void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return mapped == MAP_FAILED ? nullptr : mapped;
}

void* systemAllocate(size_t bytes) {
  if (bytes < kHugePage) return map(bytes);
  // Aligned to huge pages, so that the kernel can use them.
  char* start = static_cast<char*>(map(bytes + kHugePage));
  if (!start) return nullptr;
  char* block = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(start) + kHugePage - 1) & ~(kHugePage - 1));
  if (block > start) munmap(start, block - start);
  const size_t behind = start + kHugePage - block;
  if (behind > 0) munmap(block + bytes, behind);
  madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}
void systemFree(void* block, size_t bytes) { munmap(block, bytes); }
#else
void* systemAllocate(size_t bytes) {
  void* block = nullptr;
  return posix_memalign(&block, 64, bytes) == 0 ? block : nullptr;
}
void systemFree(void* block, size_t) { std::free(block); }
#endif

class BlockCache {
 public:
  void* allocate(size_t bytes) {
    const size_t rounded = roundUp(bytes);
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = free_.lower_bound(rounded);
    void* block;
    size_t size;
    if (found != free_.end() && found->first <= rounded + rounded / 4) {
      size = found->first;
      block = found->second;
      cached_ -= size;
      free_.erase(found);
    } else {
      // What is kept never exceeds half of what was ever in use at once, so memory settles.
      const size_t allowed = std::max(peak_, live_ + rounded) * 3 / 2 + kSlack;
      while (!free_.empty() && live_ + cached_ + rounded > allowed) releaseLargest();
      size = rounded;
      block = systemAllocate(size);
      if (!block) {
        while (!free_.empty()) releaseLargest();
        block = systemAllocate(size);
      }
      if (!block) {
        TORCH_CHECK(false, "out of memory: could not allocate ", bytes, " bytes on the CPU");
      }
    }
    sizes_[block] = size;
    live_ += size;
    peak_ = std::max(peak_, live_);
    return block;
  }

  // False when the block is not from here.
  bool free(void* block) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = sizes_.find(block);
    if (found == sizes_.end()) return false;
    live_ -= found->second;
    cached_ += found->second;
    free_.emplace(found->second, block);
    sizes_.erase(found);
    return true;
  }

  void releaseAll() {
    std::lock_guard<std::mutex> lock(mutex_);
    while (!free_.empty()) releaseLargest();
    peak_ = live_;
  }

  CacheStatistics statistics() {
    std::lock_guard<std::mutex> lock(mutex_);
    return {live_, peak_, cached_};
  }

 private:
  // Eight sizes for every power of two: little waste, and blocks fit again when lengths vary a little.
  static size_t roundUp(size_t bytes) {
    size_t power = kSmallest;
    while (power * 2 <= bytes) power *= 2;
    const size_t step = power / 8;  // whole pages
    return (bytes + step - 1) / step * step;
  }

  void releaseLargest() {
    const auto last = std::prev(free_.end());
    cached_ -= last->first;
    systemFree(last->second, last->first);
    free_.erase(last);
  }

  std::mutex mutex_;
  std::multimap<size_t, void*> free_;
  std::unordered_map<void*, size_t> sizes_;
  size_t live_ = 0, peak_ = 0, cached_ = 0;
};

// Never destroyed: tensors may outlive static destructors.
BlockCache& blocks() {
  static BlockCache* cache = new BlockCache();
  return *cache;
}

c10::Allocator* fallback = nullptr;

// Blocks of a few hundred bytes, by size and thread: a scope frees hundreds of small tensors at once, and malloc's
// own thread cache keeps seven of a size.
constexpr size_t kSmallStep = 64;
constexpr size_t kSmallClasses = 8;
constexpr size_t kSmallKept = 256;
struct SmallBlocks {
  void* blocks[kSmallClasses][kSmallKept];
  size_t counts[kSmallClasses];
  bool closed;  // the thread is ending: nothing is kept any more
};
thread_local SmallBlocks smallBlocks;  // without constructor and destructor, so that it outlives all others

struct SmallBlocksCloser {
  ~SmallBlocksCloser() {
    smallBlocks.closed = true;
    for (size_t i = 0; i < kSmallClasses; i++) {
      while (smallBlocks.counts[i] > 0) std::free(smallBlocks.blocks[i][--smallBlocks.counts[i]]);
    }
  }
  bool open = true;
};
thread_local SmallBlocksCloser smallBlocksCloser;

template <size_t index>
void freeSmall(void* block) {
  if (smallBlocks.closed || smallBlocks.counts[index] == kSmallKept) {
    std::free(block);
  } else {
    smallBlocks.blocks[index][smallBlocks.counts[index]++] = block;
  }
}
constexpr c10::DeleterFnPtr kFreeSmall[kSmallClasses] = {freeSmall<0>, freeSmall<1>, freeSmall<2>, freeSmall<3>,
                                                         freeSmall<4>, freeSmall<5>, freeSmall<6>, freeSmall<7>};

c10::DataPtr allocateSmall(size_t bytes) {
  const size_t index = (bytes - 1) / kSmallStep;
  void* block = nullptr;
  if (smallBlocksCloser.open && smallBlocks.counts[index] > 0) {
    block = smallBlocks.blocks[index][--smallBlocks.counts[index]];
  } else {
    TORCH_CHECK(posix_memalign(&block, kSmallStep, (index + 1) * kSmallStep) == 0, "out of memory");
  }
  return {block, block, kFreeSmall[index], c10::Device(c10::DeviceType::CPU)};
}

// For blocks of any kind, since raw deallocation does not say which; small ones came from malloc, as the
// fallback's do.
void freeBlock(void* block) {
  if (block && !blocks().free(block)) fallback->raw_deleter()(block);
}

struct CachingAllocator final : c10::Allocator {
#if TORCH_VERSION_MAJOR >= 2 && (TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 3)
  c10::DataPtr allocate(size_t bytes) override {
#else
  c10::DataPtr allocate(size_t bytes) const override {
#endif
    if (bytes > 0 && bytes <= kSmallClasses * kSmallStep) return allocateSmall(bytes);
    if (bytes < kSmallest) return fallback->allocate(bytes);
    void* block = blocks().allocate(bytes);
    return {block, block, &freeBlock, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &freeBlock; }
#if TORCH_VERSION_MAJOR >= 2 && (TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 3)
  void copy_data(void* destination, const void* source, size_t count) const override {
    std::memcpy(destination, source, count);
  }
#endif
};

}  // namespace

void installCachingAllocator() {
  // Once, and not by std::call_once, whose pthread_once is another one from glibc 2.34 on.
  [[maybe_unused]] static const bool installed = [] {
    const char* off = std::getenv("LIBTORCH_BRIDGE_CACHE");
    if (off && std::strcmp(off, "0") == 0) return false;
#if defined(__GLIBC__)
    // glibc raises this limit with every larger block that is freed, until its heap is full of holes.
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
#endif
    fallback = c10::GetCPUAllocator();
    c10::SetCPUAllocator(new CachingAllocator(), /*priority=*/255);
    return true;
  }();
}

CacheStatistics cacheStatistics() { return blocks().statistics(); }
void emptyCache() { blocks().releaseAll(); }

}  // namespace bridge
