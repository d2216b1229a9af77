// Elements of many tensors into host memory that lies there already, in one call: what training waits for when a
// checkpoint is taken.
#include "snapshot.h"

#include "../convert.h"
#include "../machine/in-threads.h"
#include "tensor-data.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace bridge {

namespace {

constexpr size_t kCopyChunk = 4 << 20;  // what a thread copies before it takes the next

struct Copy {
  char* into;
  const char* from;
  size_t length;
};

// Blocks of memory, one behind the other, as if they were one.
class Blocks {
 public:
  Blocks(napi_env env, napi_value array) {
    uint32_t count = 0;
    check(env, napi_get_array_length(env, array, &count));
    for (uint32_t i = 0; i < count; i++) {
      napi_value view;
      check(env, napi_get_element(env, array, i, &view));
      blocks_.push_back(bytesOf(env, view));
      starts_.push_back(size_);
      size_ += blocks_.back().length;
    }
  }

  size_t size() const { return size_; }

  // Memory at a position below size(), and how much of it there is up to the end of its block.
  Bytes at(size_t position) const {
    const size_t block = std::upper_bound(starts_.begin(), starts_.end(), position) - starts_.begin() - 1;
    const size_t offset = position - starts_[block];
    return {static_cast<char*>(blocks_[block].data) + offset, blocks_[block].length - offset};
  }

 private:
  std::vector<Bytes> blocks_;
  std::vector<size_t> starts_;
  size_t size_ = 0;
};

}  // namespace

// snapshot(handles, positions, typed arrays): copies each tensor's elements, in row-major order, to its position in the
// arrays' memory, which counts as one. From another device they go there without a stop where they lie in one array.
napi_value snapshot(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const std::vector<at::Tensor> tensors = tensorsOf(environment, values[0], "tensors");
  const size_t count = tensors.size();
  const std::vector<int64_t> positions = integersOf(env, values[1]);
  const Blocks blocks(env, values[2]);
  if (positions.size() != count) {
    throw ArgumentError("each tensor must have a position, but there are " + std::to_string(count) +
                        " tensors and " + std::to_string(positions.size()) + " positions");
  }
  at::NoGradGuard noGrad;
  std::vector<at::Tensor> sources;  // held until their elements are copied
  std::vector<Copy> copies;
  for (size_t i = 0; i < count; i++) {
    const at::Tensor tensor = tensors[i].detach();
    const size_t position = static_cast<size_t>(positions[i]);
    if (positions[i] < 0 || position + tensor.nbytes() > blocks.size()) {
      throw ArgumentError("the memory must hold " + describe(tensor) + " at " + std::to_string(positions[i]) +
                          ", but has " + std::to_string(blocks.size()) + " bytes");
    }
    if (tensor.nbytes() == 0) continue;
    const Bytes place = blocks.at(position);
    const bool aligned = reinterpret_cast<uintptr_t>(place.data) % tensor.element_size() == 0;
    if (!tensor.device().is_cpu() && tensor.nbytes() <= place.length && aligned) {
      at::from_blob(place.data, tensor.sizes(), at::TensorOptions().dtype(tensor.scalar_type())).copy_(tensor);
      continue;
    }
    sources.push_back(tensor.cpu().contiguous());
    const char* from = static_cast<const char*>(sources.back().data_ptr());
    for (size_t done = 0; done < tensor.nbytes();) {
      const Bytes into = blocks.at(position + done);
      const size_t length = std::min({into.length, tensor.nbytes() - done, kCopyChunk});
      copies.push_back({static_cast<char*>(into.data), from + done, length});
      done += length;
    }
  }
  inThreads(copies.size(), [&](size_t i) { std::memcpy(copies[i].into, copies[i].from, copies[i].length); });
  return nullptr;
}

}  // namespace bridge
