// SPDX-License-Identifier: Apache-2.0

#include "common/io/disk_thread.h"

#include "common/core/check.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace conga {

Result<std::unique_ptr<DiskThread>> DiskThread::start() {
  const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (descriptor < 0) {
    return fail(Fault::Transient, std::string("no descriptor for a thread: ") + strerror(errno));
  }
  return std::unique_ptr<DiskThread>(new DiskThread(descriptor));
}

DiskThread::DiskThread(int descriptor) : descriptor_(descriptor), thread_([this] { run(); }) {}

DiskThread::~DiskThread() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
  ::close(descriptor_);
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
  eventfd_t ended = 0;
  ::eventfd_read(descriptor_, &ended);
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
    ::eventfd_write(descriptor_, 1);
    changed_.notify_all();
  }
}

}  // namespace conga
