// SPDX-License-Identifier: Apache-2.0
//
// Wakeup: how one thread ends another's poll(2): a descriptor that is readable from wake() to
// clear(). See eventfd(2).

#pragma once

#include "common/core/result.h"

namespace conga {

/// All but its end may be called by any thread.
class Wakeup {
public:
  /// Fails if the process may have no more descriptors.
  static Result<Wakeup> open();

  Wakeup(Wakeup&& other) noexcept;
  Wakeup& operator=(Wakeup&& other) = delete;
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup();

  void wake() const;
  void clear() const;

  /// For polling only.
  int descriptor() const { return descriptor_; }

private:
  explicit Wakeup(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;  ///< -1: moved away.
};

}  // namespace conga
