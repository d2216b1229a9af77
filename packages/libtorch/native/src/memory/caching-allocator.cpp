#include "caching-allocator.h"

#include "../libtorch.h"
#include "profile.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <sys/mman.h>
#if defined(__linux__)
#include <malloc.h>
#endif

namespace bridge {

namespace {

constexpr size_t kSmallest = 64 << 10;  // smaller blocks are malloc's business
constexpr size_t kPage = 4 << 10;
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kSpace = size_t{4} << 30;  // addresses that are asked for at once; memory comes with the first use
constexpr size_t kSlack = 64 << 20;

// Straight from the system: malloc would keep what is freed here in pieces that nothing fits into again. What is asked for
// ahead is no promise to use it. What one tensor needs is: the system then refuses more than it has, where it would end
// the process in the midst of writing otherwise.
char* reserve(size_t bytes, bool isAhead) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (isAhead ? MAP_NORESERVE : 0);
  void* start = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
  return start == MAP_FAILED ? nullptr : static_cast<char*>(start);
}

void useHugePages(char* start, size_t bytes) {
#if defined(MADV_HUGEPAGE)
  madvise(start, bytes, MADV_HUGEPAGE);
#else
  (void)start, (void)bytes;
#endif
}

// The addresses stay; the memory behind them goes back to the system.
void giveBack(char* start, size_t bytes) {
#if defined(__linux__)
  madvise(start, bytes, MADV_DONTNEED);
#else
  madvise(start, bytes, MADV_FREE);
#endif
}

size_t roundUp(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

// Addresses whose memory was given back to the system, and that were not used since.
class GivenBack {
 public:
  size_t bytes() const { return bytes_; }

  // Of the addresses from `start` on.
  size_t within(char* start, size_t size) const {
    size_t sum = 0;
    for (auto range = firstBehind(start); range != ends_.end() && range->first < start + size; ++range)
      sum += std::min(start + size, range->second) - std::max(start, range->first);
    return sum;
  }

  void add(char* start, size_t size) {
    remove(start, size);
    keep(start, start + size);
  }

  // Returns how many bytes of it there were.
  size_t remove(char* start, size_t size) {
    const size_t before = bytes_;
    char* const end = start + size;
    for (auto range = firstBehind(start); range != ends_.end() && range->first < end;) {
      const auto [from, to] = *range;
      range = ends_.erase(range);
      bytes_ -= to - from;
      if (from < start) keep(from, start);
      if (to > end) keep(end, to);
    }
    return before - bytes_;
  }

 private:
  using Ends = std::map<char*, char*>;

  // The first range that ends behind `start`.
  Ends::const_iterator firstBehind(char* start) const {
    const auto next = ends_.upper_bound(start);
    if (next == ends_.begin() || std::prev(next)->second <= start) return next;
    return std::prev(next);
  }

  void keep(char* from, char* to) {
    ends_.emplace(from, to);
    bytes_ += to - from;
  }

  Ends ends_;  // by their beginnings
  size_t bytes_ = 0;
};

// Blocks are cut from a large space of addresses, and join when they are free again: what many small ones leave, a large
// one takes. Blocks of their own would each fit into its like alone, and a step's memory be the sum over all sizes.
class BlockCache {
 public:
  char* allocate(size_t bytes) {
    const size_t size = roundUp(bytes, kPage);
    std::lock_guard<std::mutex> lock(mutex_);
    char* block = fromFree(size);
    if (!block) block = fromSpace(size);
    if (!block) TORCH_CHECK(false, "out of memory: could not allocate ", bytes, " bytes on the CPU");
    const size_t taken = sizes_.at(block);
    live_ += taken;
    peak_ = std::max(peak_, live_);
    profileAllocated(block, taken);
    return block;
  }

  // False when the block is not from here.
  bool free(void* block) {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = sizes_.find(static_cast<char*>(block));
    if (found == sizes_.end()) return false;
    live_ -= found->second;
    profileFreed(block, found->second);
    addFree(found->first, found->second);
    sizes_.erase(found);
    return true;
  }

  void releaseAll() {
    std::lock_guard<std::mutex> lock(mutex_);
    releaseFree();
    peak_ = live_;
  }

  CacheStatistics statistics() {
    std::lock_guard<std::mutex> lock(mutex_);
    return {live_, peak_, cached()};
  }

 private:
  using Regions = std::map<char*, size_t>;  // their sizes

  // What is free and was not given back.
  size_t cached() const { return freeBytes_ - givenBack_.bytes(); }

  // The smallest free region that is large enough, without what is left of it.
  char* fromFree(size_t size) {
    const auto fitting = bySize_.lower_bound({size, nullptr});
    if (fitting == bySize_.end()) return nullptr;
    const auto found = free_.find(fitting->second);
    const auto [start, region] = *found;
    take(found);
    const size_t rest = region - size;
    if (rest >= kSmallest) {
      put(start + size, rest);
    } else {
      size = region;
    }
    use(start, size);
    return start;
  }

  // From addresses that were never used, and the free ones right before them.
  char* fromSpace(size_t size) {
    makeRoom(size);
    if (const auto last = free_.empty() ? free_.end() : std::prev(free_.upper_bound(unused_));
        last != free_.end() && last->first + last->second == unused_ && unused_ + size - last->second <= end_) {
      char* start = last->first;
      take(last);
      unused_ = start + size;
      use(start, size);
      return start;
    }
    if (static_cast<size_t>(end_ - unused_) < size && !newSpace(size)) return nullptr;
    char* start = unused_;
    unused_ += size;
    sizes_[start] = size;
    return start;
  }

  // Where a system counts what is asked for, not what is used, only what is needed.
  bool newSpace(size_t size) {
    size_t bytes = kSpace;
    char* start = size <= kSpace ? reserve(bytes, true) : nullptr;
    if (!start) start = reserve(bytes = roundUp(size, kHugePage), false);
    if (!start) {
      releaseFree();
      start = reserve(bytes, false);
    }
    if (!start) return false;
    useHugePages(start, bytes);
    unused_ = start;
    end_ = start + bytes;
    return true;
  }

  void addFree(char* start, size_t size) {
    const auto behind = free_.lower_bound(start);
    if (behind != free_.begin()) {
      const auto before = std::prev(behind);
      if (before->first + before->second == start) {
        start = before->first;
        size += before->second;
        take(before);
      }
    }
    if (behind != free_.end() && start + size == behind->first) {
      size += behind->second;
      take(behind);
    }
    put(start, size);
  }

  void put(char* start, size_t size) {
    freeBytes_ += size;
    free_.emplace(start, size);
    bySize_.emplace(size, start);
  }

  void take(Regions::iterator place) {
    freeBytes_ -= place->second;
    bySize_.erase({place->second, place->first});
    free_.erase(place);
  }

  // What was given back of a region that is no longer free comes to the process again.
  void use(char* start, size_t size) {
    sizes_[start] = size;
    if (givenBack_.remove(start, size) > 0) makeRoom(size);
  }

  void release(char* start, size_t size) {
    if (givenBack_.within(start, size) == size) return;
    giveBack(start, size);
    givenBack_.add(start, size);
  }

  void releaseFree() {
    for (const auto& [start, size] : free_) release(start, size);
  }

  // What is kept never exceeds a quarter of what was ever in use at once, so memory settles.
  void makeRoom(size_t size) {
    const size_t needed = live_ + size, allowed = std::max(peak_, needed) * 5 / 4 + kSlack;
    for (auto largest = bySize_.rbegin(); largest != bySize_.rend() && needed + cached() > allowed; ++largest)
      release(largest->second, largest->first);
  }

  std::mutex mutex_;
  Regions free_;
  std::set<std::pair<size_t, char*>> bySize_;
  std::unordered_map<char*, size_t> sizes_;
  char *unused_ = nullptr, *end_ = nullptr;  // of the newest space
  GivenBack givenBack_;                      // all of it in free regions
  size_t live_ = 0, peak_ = 0, freeBytes_ = 0;
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
