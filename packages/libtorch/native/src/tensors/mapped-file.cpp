// A file as memory: loaded at once, read from the disk where it is looked at, and shared by all processes that map it.
#include "mapped-file.h"

#include "../convert.h"

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace bridge {

namespace {

struct Mapping {
  void* data;
  size_t length;
  ~Mapping() { munmap(data, length); }
};

napi_value systemError(napi_env env, int number) {
  napi_value result;
  check(env, napi_create_int32(env, number, &result));
  return result;
}

// What the file is, or errno.
int readFileStatus(int file, mode_t& mode, size_t& length) {
#ifdef __linux__
  // Not fstat, which is a function of glibc from 2.33 on: compiled there, it would not load with an older one.
  struct statx status;
  if (statx(file, "", AT_EMPTY_PATH, STATX_MODE | STATX_TYPE | STATX_SIZE, &status) != 0) return errno;
  mode = status.stx_mode;
  length = status.stx_size;
#else
  struct stat status;
  if (fstat(file, &status) != 0) return errno;
  mode = status.st_mode;
  length = status.st_size;
#endif
  return 0;
}

}  // namespace

// mapFile(path) -> ArrayBuffer over the file, unmapped when it is collected, or errno. Stray writes go to pages of this
// process's own (MAP_PRIVATE): with a mapping that is only readable, one would end the process.
napi_value mapFile(Environment& environment, napi_value* values, size_t) {
  napi_env env = environment.env;
  // Not waiting for a writer where it is a named pipe.
  const int file = open(stringOf(env, values[0]).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return systemError(env, errno);
  mode_t mode = 0;
  size_t length = 0;
  int failure = readFileStatus(file, mode, length);
  void* data = nullptr;
  if (failure != 0) {
    // told below
  } else if (!S_ISREG(mode)) {
    failure = S_ISDIR(mode) ? EISDIR : EINVAL;
  } else if (length == 0) {
    failure = ENODATA;  // there is no mapping of nothing
  } else {
    data = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
    if (data == MAP_FAILED) failure = errno;
  }
  close(file);
  if (failure != 0) return systemError(env, failure);

  auto mapping = std::unique_ptr<Mapping>(new Mapping{data, length});
  napi_value result;
  check(env, napi_create_external_arraybuffer(
                 env, mapping->data, mapping->length,
                 [](napi_env, void*, void* hint) { delete static_cast<Mapping*>(hint); }, mapping.get(), &result));
  mapping.release();
  return result;
}

}  // namespace bridge
