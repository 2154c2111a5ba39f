// SPDX-License-Identifier: Apache-2.0
//
// Preloaded into a sidecar: fdatasync fails while the file named by CONGA_TEST_FAIL_SYNC exists, as
// that of a disk that breaks.

#include <cerrno>
#include <cstdlib>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int fdatasync(int descriptor) {
  const char* const flag = std::getenv("CONGA_TEST_FAIL_SYNC");
  if (flag != nullptr && access(flag, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, descriptor));
}
