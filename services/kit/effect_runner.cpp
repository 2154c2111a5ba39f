// SPDX-License-Identifier: Apache-2.0

#include "services/kit/effect_runner.h"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <stop_token>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace conga::kit {
namespace {

class InlineEffects final : public EffectRunner {
public:
  explicit InlineEffects(Handlers& handlers) : handlers_(handlers) {}

  void start(std::uint64_t ticket, const Effect& effect) override {
    finished_.push_back({.ticket = ticket, .answer = handlers_.perform(effect)});
  }

  std::vector<Finished> take_finished() override { return std::exchange(finished_, {}); }

private:
  Handlers& handlers_;
  std::vector<Finished> finished_;
};

}  // namespace

std::unique_ptr<EffectRunner> inline_effects(Handlers& handlers) {
  return std::make_unique<InlineEffects>(handlers);
}

struct EffectWorkers::State {
  struct Job {
    std::uint64_t ticket = 0;
    Effect effect;
  };

  State(Handlers& performing, int event_descriptor)
      : handlers(performing), descriptor(event_descriptor) {}

  State(const State&) = delete;
  State& operator=(const State&) = delete;

  ~State() {
    for (std::jthread& thread : threads) thread.request_stop();
    threads.clear();  // joins
    ::close(descriptor);
  }

  void work(const std::stop_token& stop) {
    for (;;) {
      Job job;
      {
        std::unique_lock lock(mutex);
        if (!waiting.wait(lock, stop, [this] { return !jobs.empty(); })) return;
        if (stop.stop_requested()) return;
        job = std::move(jobs.front());
        jobs.pop_front();
      }
      auto answer = handlers.perform(job.effect);
      {
        const std::scoped_lock lock(mutex);
        finished.push_back({.ticket = job.ticket, .answer = std::move(answer)});
      }
      const std::uint64_t one = 1;
      // Fails only if the counter is at its top: then it is readable all the same.
      static_cast<void>(!::write(descriptor, &one, sizeof one));
    }
  }

  Handlers& handlers;
  int descriptor;
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::deque<Job> jobs;
  std::vector<Finished> finished;
  std::vector<std::jthread> threads;
};

Result<std::unique_ptr<EffectWorkers>> EffectWorkers::open(Handlers& handlers,
                                                           std::size_t threads) {
  const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (descriptor < 0) {
    return fail(Fault::Transient, std::string("eventfd: ") + std::strerror(errno), "NoDescriptor");
  }
  auto state = std::make_unique<State>(handlers, descriptor);
  try {
    for (std::size_t each = 0; each < threads; ++each) {
      state->threads.emplace_back(
          [work = state.get()](const std::stop_token& stop) { work->work(stop); });
    }
  } catch (const std::system_error& error) {
    return fail(Fault::Transient, std::string("no thread can be had: ") + error.what(), "NoThread");
  }
  return std::unique_ptr<EffectWorkers>(new EffectWorkers(std::move(state)));
}

EffectWorkers::EffectWorkers(std::unique_ptr<State> state) : state_(std::move(state)) {}

EffectWorkers::~EffectWorkers() = default;

void EffectWorkers::start(std::uint64_t ticket, const Effect& effect) {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->jobs.push_back({.ticket = ticket, .effect = effect});
  }
  state_->waiting.notify_one();
}

std::vector<EffectRunner::Finished> EffectWorkers::take_finished() {
  std::uint64_t count = 0;
  static_cast<void>(!::read(state_->descriptor, &count, sizeof count));  // empty: nothing is new
  const std::scoped_lock lock(state_->mutex);
  return std::exchange(state_->finished, {});
}

int EffectWorkers::descriptor() const {
  return state_->descriptor;
}

}  // namespace conga::kit
