// So that the bridge, wherever it is compiled, loads with every glibc that libtorch's wheels run with (2.28).
#include <cstdlib>

#if defined(__GLIBC__) && __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>

extern "C" {
// What libstdc++'s shared pointers ask glibc from 2.32 on: whether there is one thread only, which here is never so.
char __libc_single_threaded = 0;
}
#endif
