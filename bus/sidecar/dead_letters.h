// SPDX-License-Identifier: Apache-2.0
//
// DeadLetters: deliveries that conga gave up, each with EventBridge's reason attributes, kept in
// SQLite so that people can query them with plain SQL.

#pragma once

#include "bus/sidecar/event_store.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conga::bus {

/// One delivery that was given up. Field names follow EventBridge's dead-letter attributes.
struct DeadLetter {
  std::uint64_t number = 0;  ///< Given by the store, ascending; what people call it by.
  Sequence sequence = 0;
  TargetName target;
  std::string service;
  std::string event_id;
  std::string source;
  std::string detail_type;
  std::string correlation_id;
  std::string error_code;
  std::string error_message;
  std::string
      exhausted_retry_condition;  ///< `MaximumRetryAttempts`, `MaximumEventAgeInSeconds`, or empty.
  std::uint32_t retry_attempts = 0;  ///< Retries after the first attempt.
  std::optional<WallTime> first_attempt;
  std::optional<WallTime> last_attempt;
  WallTime at;        ///< When it became a dead letter.
  std::string event;  ///< The event's bytes.

  /// Its EventDeadLettered event is on the bus, or there is to be none.
  bool announced = false;
};

/// Which dead letters a verb means; empty fields mean any.
struct DeadLetterFilter {
  std::vector<std::uint64_t> numbers;
  std::string rule;
  std::string target;
  std::string event_id;
  std::string error_code;
  std::string correlation_id;
  bool unannounced = false;  ///< Only those whose EventDeadLettered event is still owed.
  std::uint64_t after = 0;   ///< Only numbers above it: for paging.
  std::size_t limit = 100;   ///< 1 to 1000.
};

class DeadLetters {
public:
  DeadLetters() = default;
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;
  virtual ~DeadLetters() = default;

  /// Adds within the turn's transaction. The same delivery (event id, rule, target) twice is one
  /// dead letter: a crash between DLQ and journal repeats it.
  virtual Result<> add(const DeadLetter& letter) = 0;

  /// Both within the turn's transaction; a number that is not there is no error.
  virtual Result<> remove(std::uint64_t number) = 0;
  virtual Result<> mark_announced(std::uint64_t number) = 0;

  /// Commits the turn's transaction, if it has one, durably.
  virtual Result<> sync() = 0;

  virtual Result<std::vector<DeadLetter>> list(const DeadLetterFilter& filter) = 0;

  /// How many list() would give without its limit.
  virtual Result<std::uint64_t> count(const DeadLetterFilter& filter) = 0;

  /// All of them.
  virtual Result<std::uint64_t> count() = 0;
};

}  // namespace conga::bus
