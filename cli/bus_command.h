// SPDX-License-Identifier: Apache-2.0
//
// BusCommand: the Node that every command is which talks to a bus. It says hello, gives up with
// the endpoints and a remedy when nobody answers, asks questions with a deadline, and ends with
// an exit code. A command fills in what happens between hello and the end.

#pragma once

#include "cli/exit_code.h"
#include "cli/screen.h"
#include "common/client/session.h"
#include "common/core/clock.h"
#include "common/runtime/node.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::cli {

/// How this process reaches the bus, and what it is called there.
struct ClientSettings {
  std::string name;         ///< CLIENT: unique per process.
  std::uint64_t nonce = 0;  ///< Random.
  std::string publish = "tcp://127.0.0.1:7461";
  std::string subscribe = "tcp://127.0.0.1:7462";
  Duration timeout = std::chrono::seconds(3);  ///< For hello and for each answer.
  std::string by{};                            ///< `user@host`, for the sidecar's audit.
};

class BusCommand : public Node {
public:
  /// `topics`: what the command subscribes to besides its answers. `screen` must outlive it.
  BusCommand(ClientSettings settings, Screen& screen, std::vector<std::string> topics = {});

  void on_frame(const Time& now, Frame& frame) final;
  void on_time(const Time& now) final;
  std::optional<SteadyTime> wake_at() const final;
  Result<> commit(const Time& now, std::vector<Frame>& out) final;
  std::vector<std::string> subscriptions() const final;

  /// Ctrl-C: ends with Done, unless a command has something to finish first.
  void drain(const Time& now) override;

  bool drained() const final { return exit_code_.has_value(); }

  /// Set once the command has ended: run() may stop.
  const std::optional<ExitCode>& exit_code() const { return exit_code_; }

protected:
  /// The bus hears us and we hear it. Called once.
  virtual void begin(const Time& now) = 0;

  /// A frame that is no answer.
  virtual void take(const Time& /*now*/, Frame& /*frame*/) {}

  /// The bus did what was asked.
  virtual void answered(const Time& /*now*/, const Answer& /*answer*/) {}

  /// The bus refused what was asked. True: the command goes on. False: it ends with the code and
  /// message of the refusal.
  virtual bool refused(const Time& /*now*/, const Answer& /*answer*/) { return false; }

  /// Once a turn, after everything else, from begin() until the end.
  virtual void turn(const Time& /*now*/) {}

  /// When turn() is next needed.
  virtual std::optional<SteadyTime> due() const { return std::nullopt; }

  virtual void emit(const Time& /*now*/, std::vector<Frame>& /*out*/) {}

  /// The request's number, as its answer will name it. `arguments`: one msgpack map; left out: an
  /// empty one.
  std::uint64_t ask(const Time& now, std::string verb, std::string arguments = {});

  void finish(ExitCode code);

  /// Says `conga: WHY` to the person and ends.
  void fail_with(ExitCode code, std::string_view why);

  const ClientSettings& settings() const { return settings_; }

  Screen& screen() { return screen_; }

private:
  struct Question {
    std::string verb;
    SteadyTime deadline;
  };

  void check_hello(const Time& now);
  void take_answers(const Time& now);
  void check_deadlines(const Time& now);

  ClientSettings settings_;
  Screen& screen_;
  std::vector<std::string> topics_;
  std::string answers_;  ///< Our `answer/CLIENT`.
  Session session_;
  std::optional<SteadyTime> hello_deadline_;  ///< Nothing before the first turn.
  bool begun_ = false;
  std::map<std::uint64_t, Question> questions_;
  std::optional<ExitCode> exit_code_;
};

/// What to say when nobody answered hello: where we tried, and what to do about it.
std::string no_bus_message(const ClientSettings& settings);

}  // namespace conga::cli
