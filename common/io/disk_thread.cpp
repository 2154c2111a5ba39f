// SPDX-License-Identifier: Apache-2.0

#include "common/io/disk_thread.h"

#include "common/core/check.h"

#include <utility>

namespace conga {

Result<std::unique_ptr<DiskThread>> DiskThread::start() {
  auto ended = Wakeup::open();
  if (!ended) return ended.failure();
  return std::unique_ptr<DiskThread>(new DiskThread(std::move(*ended)));
}

DiskThread::DiskThread(Wakeup ended) : ended_(std::move(ended)), thread_([this] { run(); }) {}

DiskThread::~DiskThread() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void DiskThread::begin(Job job) {
  {
    const std::scoped_lock lock(mutex_);
    CONGA_CHECK(!job_ && !outcome_, "one job after the other");
    job_ = std::move(job);
  }
  changed_.notify_all();
}

std::optional<Result<>> DiskThread::take() {
  const std::scoped_lock lock(mutex_);
  if (!outcome_) return std::nullopt;
  return collect();
}

Result<> DiskThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return outcome_.has_value(); });
  return collect();
}

/// With the mutex held.
Result<> DiskThread::collect() {
  ended_.clear();
  return *std::exchange(outcome_, std::nullopt);
}

void DiskThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return job_ || ending_; });
    if (!job_) return;
    const Job job = std::exchange(job_, nullptr);
    lock.unlock();
    auto outcome = job();
    lock.lock();
    outcome_ = std::move(outcome);
    ended_.wake();
    changed_.notify_all();
  }
}

}  // namespace conga
