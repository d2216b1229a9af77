#include "transfers.h"

#include "../convert.h"

#include <atomic>

namespace bridge {

namespace {

// The process's: data workers and training share a device.
std::atomic<int64_t> reads{0}, copies{0}, copiedBytes{0};

}  // namespace

void countRead() { reads++; }

void countCopy(size_t bytes) {
  copies++;
  copiedBytes += static_cast<int64_t>(bytes);
}

void countMove(c10::Device from, c10::Device to, size_t bytes) {
  if (from == to) return;
  if (from.is_cpu()) countCopy(bytes);
  if (to.is_cpu()) countRead();
}

// transferCounts() -> {reads, copies, copiedBytes} since the last reset
napi_value transferCounts(Environment& environment, napi_value*, size_t) {
  napi_env env = environment.env;
  napi_value object;
  check(env, napi_create_object(env, &object));
  check(env, napi_set_named_property(env, object, "reads", numberValue(env, static_cast<double>(reads))));
  check(env, napi_set_named_property(env, object, "copies", numberValue(env, static_cast<double>(copies))));
  check(env, napi_set_named_property(env, object, "copiedBytes", numberValue(env, static_cast<double>(copiedBytes))));
  return object;
}

napi_value resetTransferCounts(Environment&, napi_value*, size_t) {
  reads = copies = copiedBytes = 0;
  return nullptr;
}

}  // namespace bridge
