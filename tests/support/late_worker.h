// SPDX-License-Identifier: Apache-2.0
//
// LateWorker: a DiskWorker without a thread. It does a job on the spot, or when it has been asked
// for it a few times, as its seed says; a job that it has not done when it is destroyed is never
// done.

#pragma once

#include "common/core/check.h"
#include "common/core/random.h"
#include "common/io/disk_worker.h"

#include <optional>
#include <utility>

namespace conga::testing {

class LateWorker final : public DiskWorker {
public:
  /// `random` must outlive it.
  explicit LateWorker(Random& random) : random_(random) {}

  void begin(Job job) override {
    CONGA_CHECK(!job_, "one job after the other");
    job_ = std::move(job);
    asked_ = random_.below(4);
  }

  std::optional<Result<>> take() override {
    if (asked_ == 0) return wait();
    --asked_;
    return std::nullopt;
  }

  Result<> wait() override { return std::exchange(job_, nullptr)(); }

private:
  Random& random_;
  Job job_;
  std::uint64_t asked_ = 0;
};

}  // namespace conga::testing
