// SPDX-License-Identifier: Apache-2.0
//
// EffectRunner: where effects are carried out: in the turn itself, for ports that answer at once,
// or by workers, for ports that wait for a network, so that a slow mail server delays nothing else.

#pragma once

#include "common/core/result.h"
#include "services/kit/handlers.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace conga::kit {

class EffectRunner {
public:
  struct Finished {
    std::uint64_t ticket = 0;
    Result<std::string> answer;
  };

  EffectRunner() = default;
  EffectRunner(const EffectRunner&) = delete;
  EffectRunner& operator=(const EffectRunner&) = delete;
  virtual ~EffectRunner() = default;

  /// Begins with `effect`; its answer comes with `ticket`. Called by the Node's thread.
  virtual void start(std::uint64_t ticket, const Effect& effect) = 0;

  /// What ended since the last call. Called by the Node's thread.
  virtual std::vector<Finished> take_finished() = 0;
};

/// Carries effects out in start(): the answer is there in the same turn. `handlers` must outlive
/// it.
std::unique_ptr<EffectRunner> inline_effects(Handlers& handlers);

/// Calls perform() from threads of its own.
class EffectWorkers final : public EffectRunner {
public:
  /// `threads`: how many effects are carried out at once, 1 and up. `handlers` must outlive it.
  /// Transient if the kernel has no descriptor or thread left.
  static Result<std::unique_ptr<EffectWorkers>> open(Handlers& handlers, std::size_t threads);

  /// Waits for the effects that are being carried out; those that wait are forgotten, and their
  /// deliveries come again.
  ~EffectWorkers() override;
  EffectWorkers(const EffectWorkers&) = delete;
  EffectWorkers& operator=(const EffectWorkers&) = delete;

  void start(std::uint64_t ticket, const Effect& effect) override;
  std::vector<Finished> take_finished() override;

  /// Readable when take_finished() has something: for the transport's poll.
  int descriptor() const;

private:
  struct State;

  explicit EffectWorkers(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace conga::kit
