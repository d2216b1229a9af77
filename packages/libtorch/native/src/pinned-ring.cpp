// From the host to a GPU without waiting. A copy from ordinary memory makes the host wait for all that the GPU was given
// before it; one from pinned memory is only put behind that. Its buffer must stay as it is until the copy is done, which
// an event behind the copy tells: so the buffers go round in a ring.
#include "pinned-ring.h"

#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <array>
#include <cstring>
#include <memory>
#include <mutex>

namespace bridge {

namespace {

struct Buffer {
  at::Tensor memory;  // uint8, pinned
  std::unique_ptr<c10::Event> copied;
};

// So many copies may be under way: two batches or more.
constexpr size_t kBuffers = 32;

class Ring {
 public:
  at::Tensor copy(const void* bytes, at::IntArrayRef sizes, at::ScalarType dtype, c10::Device device) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const c10::DeviceGuard guard(device);
    at::Tensor result = at::empty(sizes, at::TensorOptions().dtype(dtype).device(device));
    if (result.numel() == 0) return result;
    Buffer& buffer = buffers_[next_++ % kBuffers];
    wait(buffer);
    const int64_t needed = static_cast<int64_t>(result.nbytes());
    if (!buffer.memory.defined() || buffer.memory.numel() < needed)
      buffer.memory = at::empty({needed + needed / 4}, at::TensorOptions().dtype(at::kByte).pinned_memory(true));
    std::memcpy(buffer.memory.data_ptr(), bytes, needed);
    result.view(-1).view(at::kByte).copy_(buffer.memory.narrow(0, 0, needed), /*non_blocking=*/true);
    buffer.copied = std::make_unique<c10::Event>(device.type());
    const c10::impl::VirtualGuardImpl current(device.type());
    buffer.copied->record(current.getStream(device.has_index() ? device : current.getDevice()));
    return result;
  }

 private:
  static void wait(Buffer& buffer) {
    if (!buffer.copied) return;
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)
    buffer.copied->synchronize();
#else
    while (!buffer.copied->query()) {
    }
#endif
    buffer.copied.reset();
  }

  std::mutex mutex_;
  std::array<Buffer, kBuffers> buffers_;
  size_t next_ = 0;
};

}  // namespace

at::Tensor copyToDevice(const void* bytes, at::IntArrayRef sizes, at::ScalarType dtype, c10::Device device) {
  if (device.is_cuda()) {
    static Ring* ring = new Ring();  // never freed: at exit the driver may be gone before
    return ring->copy(bytes, sizes, dtype, device);
  }
  // What `to` makes on the CPU is a copy; elsewhere it waits until the bytes were read.
  const at::Tensor host = at::from_blob(const_cast<void*>(bytes), sizes, at::TensorOptions().dtype(dtype));
  return host.to(device, dtype, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace bridge
