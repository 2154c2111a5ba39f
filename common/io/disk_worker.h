// SPDX-License-Identifier: Apache-2.0
//
// DiskWorker: does one job after another that waits for the disk, so that who gives them need not.
// DiskThread is the real one; a simulation's does a job whenever its seed says so.

#pragma once

#include "common/core/result.h"

#include <functional>
#include <optional>

namespace conga {

/// Used by one thread at a time; jobs may run on another.
class DiskWorker {
public:
  using Job = std::function<Result<>()>;

  DiskWorker() = default;
  DiskWorker(const DiskWorker&) = delete;
  DiskWorker& operator=(const DiskWorker&) = delete;
  virtual ~DiskWorker() = default;

  /// Begins a job. What the one before came to must have been taken. Until this one's has been,
  /// what it works on is its own.
  virtual void begin(Job job) = 0;

  /// What the job came to; nothing: it is under way.
  virtual std::optional<Result<>> take() = 0;

  /// As take(), but waits for it.
  virtual Result<> wait() = 0;
};

}  // namespace conga
