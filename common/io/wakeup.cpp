// SPDX-License-Identifier: Apache-2.0

#include "common/io/wakeup.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace conga {

Result<Wakeup> Wakeup::open() {
  const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (descriptor < 0) {
    return fail(Fault::Transient, std::string("no descriptor for a thread: ") + strerror(errno));
  }
  return Wakeup(descriptor);
}

Wakeup::Wakeup(Wakeup&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Wakeup::~Wakeup() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Wakeup::wake() const {
  ::eventfd_write(descriptor_, 1);
}

void Wakeup::clear() const {
  eventfd_t count = 0;
  ::eventfd_read(descriptor_, &count);
}

}  // namespace conga
