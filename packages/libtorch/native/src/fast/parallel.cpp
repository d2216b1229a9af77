#include "parallel.h"

#include <ATen/ATen.h>
#include <ATen/TensorIterator.h>

namespace bridge {

void inParallel(int64_t count, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (count == 0) return;
  // An elementwise operator over bytes that nobody reads: where one lies says which it is.
  at::Tensor places = at::empty({count}, at::kByte);
  const char* start = static_cast<const char*>(places.data_ptr());
  at::TensorIterator::nullary_op(places).for_each(
      [&](char** data, const int64_t*, int64_t size, int64_t) { body(data[0] - start, data[0] - start + size); }, grain);
}

}  // namespace bridge
