// SPDX-License-Identifier: Apache-2.0
//
// Signals: SIGTERM, SIGINT and SIGHUP as a file descriptor, so that they are polled like any other
// input and no handler ever runs in the middle of a turn.

#pragma once

#include "common/core/result.h"

#include <memory>

namespace conga {

/// Make it first in main(), before anything starts a thread: threads inherit the blocked signals.
class Signals {
public:
  static Result<std::unique_ptr<Signals>> open();

  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  /// Readable when a signal waits.
  int descriptor() const { return descriptor_; }

  struct Pending {
    bool reload = false;  ///< SIGHUP.
    bool stop = false;    ///< SIGTERM or SIGINT.
  };

  /// Takes all that wait; never blocks.
  Pending take();

private:
  explicit Signals(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace conga
