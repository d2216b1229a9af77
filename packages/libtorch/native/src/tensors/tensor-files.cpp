// Elements from files straight into tensors' memory: no copy in between, and no mapping, which a file that is cut
// meanwhile would turn into a crash.
#include "tensor-files.h"

#include "../convert.h"
#include "../machine/in-threads.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>
#include <vector>

namespace bridge {

namespace {

constexpr size_t kChunk = 4 << 20;  // also keeps every read below the kernel's limit of 2 GiB

struct Piece {
  char* into;
  size_t length;
  int file;
  off_t position;
  size_t tensor;
};

/** errno, 0 when all was read, or kCut when the file ended before. */
constexpr int kCut = -1;
int readWhole(const Piece& piece) {
  for (size_t done = 0; done < piece.length;) {
    const ssize_t got = pread(piece.file, piece.into + done, piece.length - done, piece.position + done);
    if (got > 0) {
      done += got;
    } else if (got == 0) {
      return kCut;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

// readFiles(handles, file descriptors, positions): fills contiguous CPU tensors with the bytes of open files.
// Returns undefined, or [index of a tensor that could not be filled, errno or -1 where its file ended before].
napi_value readFiles(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  const std::vector<at::Tensor> tensors = tensorsOf(environment, values[0], "tensors");
  const size_t count = tensors.size();
  const std::vector<int64_t> files = integersOf(env, values[1]);
  const std::vector<int64_t> positions = integersOf(env, values[2]);
  if (files.size() != count || positions.size() != count) {
    throw ArgumentError("each tensor must have a file and a position, but there are " + std::to_string(count) +
                        " tensors, " + std::to_string(files.size()) + " files and " +
                        std::to_string(positions.size()) + " positions");
  }
  std::vector<Piece> pieces;
  for (size_t i = 0; i < count; i++) {
    const at::Tensor& tensor = tensors[i];
    if (!tensor.device().is_cpu() || !tensor.is_contiguous()) {
      throw ArgumentError("a tensor to fill must be contiguous and on the CPU, but one is " + describe(tensor));
    }
    char* into = static_cast<char*>(tensor.data_ptr());
    for (size_t start = 0; start < tensor.nbytes(); start += kChunk) {
      const size_t length = std::min(kChunk, tensor.nbytes() - start);
      const off_t position = static_cast<off_t>(positions[i]) + static_cast<off_t>(start);
      pieces.push_back({into + start, length, static_cast<int>(files[i]), position, i});
    }
  }

  std::vector<int> outcomes(pieces.size(), 0);
  inThreads(pieces.size(), [&](size_t i) { outcomes[i] = readWhole(pieces[i]); });

  for (size_t i = 0; i < pieces.size(); i++) {
    if (outcomes[i] == 0) continue;
    napi_value failure, element;
    check(env, napi_create_array_with_length(env, 2, &failure));
    check(env, napi_create_uint32(env, pieces[i].tensor, &element));
    check(env, napi_set_element(env, failure, 0, element));
    check(env, napi_create_int32(env, outcomes[i], &element));
    check(env, napi_set_element(env, failure, 1, element));
    return failure;
  }
  return nullptr;
}

}  // namespace bridge
