// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/signals.h"

#include <csignal>
#include <cstring>
#include <sys/signalfd.h>
#include <unistd.h>

namespace conga {

Result<std::unique_ptr<Signals>> Signals::open() {
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&wanted, signal);
  // A write to a closed pipe (`conga tap | head`) is an error to handle, not a reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  if (pthread_sigmask(SIG_BLOCK, &wanted, nullptr) != 0) {
    return fail(Fault::Permanent, "signals cannot be blocked");
  }
  const int descriptor = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
  if (descriptor < 0) {
    return fail(Fault::Permanent, std::string("signalfd failed: ") + std::strerror(errno));
  }
  return std::unique_ptr<Signals>(new Signals(descriptor));
}

Signals::~Signals() {
  ::close(descriptor_);
}

Signals::Pending Signals::take() {
  Pending pending;
  signalfd_siginfo signal{};
  while (::read(descriptor_, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGHUP) {
      pending.reload = true;
    } else {
      pending.stop = true;
    }
  }
  return pending;
}

}  // namespace conga
