// SPDX-License-Identifier: Apache-2.0
//
// DiskThread: a DiskWorker with a thread of its own. A descriptor says when a job has ended, so
// that a loop can wait for it and for its sockets at once.

#pragma once

#include "common/io/disk_worker.h"
#include "common/io/wakeup.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace conga {

class DiskThread final : public DiskWorker {
public:
  /// Fails if the process may have no more descriptors.
  static Result<std::unique_ptr<DiskThread>> start();

  /// Waits for the job that is under way.
  ~DiskThread() override;

  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  void begin(Job job) override;
  std::optional<Result<>> take() override;
  Result<> wait() override;

  /// Readable while a job has ended and take() was not called since. For polling only.
  int descriptor() const { return ended_.descriptor(); }

private:
  explicit DiskThread(Wakeup ended);

  void run();
  Result<> collect();

  const Wakeup ended_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Job job_;  ///< Empty: there is none, or it runs.
  std::optional<Result<>> outcome_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace conga
