// SPDX-License-Identifier: Apache-2.0
//
// Session: the part of a client that knows whether the bus hears and is heard (hello), and asks
// it questions. A client may rely on its subscriptions once greeted() is true.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/runtime/node.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

struct SessionOptions {
  Duration hello_interval = std::chrono::milliseconds(100);  ///< Until answered.
  Duration ask_interval = std::chrono::seconds(1);  ///< An unanswered question is asked again.
};

struct Answer {
  std::uint64_t request = 0;
  bool ok = false;
  std::string result;  ///< If ok: one msgpack object.
  std::string code;    ///< If not ok; so the next.
  std::string message;
};

class Session {
public:
  /// `topics`: all that this client subscribes to, `answer/CLIENT` among them. `nonce`: random;
  /// tells two processes of the same name apart.
  Session(const std::string& client,
          const std::vector<std::string>& topics,
          std::uint64_t nonce,
          SessionOptions options);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  bool greeted() const;

  /// The refusal of our hello (`NameTaken`), if it was refused: final.
  const std::optional<Error>& refusal() const;

  /// Asks now, and again every ask_interval until answered or forgotten. Verbs are such that
  /// asking twice does no harm.
  std::uint64_t ask(std::string verb, std::string arguments);
  void forget(std::uint64_t request);

  /// An `answer/CLIENT` frame.
  void on_answers(const Time& now, std::string_view body);

  void collect(const Time& now, std::vector<Frame>& out);
  /// When collect() has something to send; a time long past: now.
  std::optional<SteadyTime> wake_at() const;

  /// Answers that came since the last call, hello's not among them.
  std::vector<Answer> take_answers();

private:
  struct State;

  std::unique_ptr<State> state_;
};

}  // namespace conga
