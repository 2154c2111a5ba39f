// SPDX-License-Identifier: Apache-2.0
//
// `conga dlq`: looks at dead letters, exports them, or deletes them for good. Sending them to their
// targets again is in redrive.h.

#pragma once

#include "cli/bus_command.h"
#include "common/wire/event/value.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::cli {

struct DlqOptions {
  enum class Action : std::uint8_t {
    List,
    Causes,
    Show,
    Export,
    Redrive,
    Tasks,
    Cancel,
    Purge,
  };

  Action action = Action::List;
  std::vector<std::uint64_t> numbers{};
  std::string rule{};
  std::string target{};
  std::string event_id{};
  std::string error_code{};
  std::string correlation_id{};
  bool all = false;            ///< Redrive and Purge: meant without a filter.
  bool yes = false;            ///< Purge: do not ask.
  std::uint32_t canaries = 1;  ///< Redrive: the others wait for so many.
  std::uint32_t rate = 1000;   ///< Redrive: a second; 0: no limit.
  bool detach = false;         ///< Redrive: leave it to run on its own.
  bool wait = false;           ///< Redrive: until all of them have ended.
  std::uint64_t limit = 50;    ///< List: at most so many, the newest… of the oldest first.
};

/// Why these options cannot be carried out; empty if they can. Redrive and Purge must say which
/// dead letters they mean, so that a forgotten filter does not mean all.
std::string fault_of(const DlqOptions& options);

/// `Delete dead letters of rule 'x' for good?`
std::string purge_question(const DlqOptions& options);

/// The arguments of the `dlq.…` verbs: a filter, and `after` and `limit` for a page.
std::string dlq_arguments(const DlqOptions& options, std::uint64_t after, std::uint64_t limit);

/// The same for `dlq.redrive`, with its pace.
std::string redrive_arguments(const DlqOptions& options, const std::string& by);

/// The same for `dlq.purge`.
std::string purge_arguments(const DlqOptions& options, const std::string& by);

/// A table of dead letters; empty if there are none.
std::string list_letters(const std::vector<Value>& letters, const Look& look);

/// The same grouped by cause: error code, rule and target; the most frequent first.
std::string list_causes(const std::vector<Value>& letters, const Look& look);

/// Everything about one dead letter, its event last.
std::string show_letter(const Value& letter, const Look& look);

class Dlq final : public BusCommand {
public:
  /// `screen` must outlive it.
  Dlq(ClientSettings settings, DlqOptions options, Screen& screen, Look look);

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;

private:
  void ask_page(const Time& now);
  void take_page(const Time& now, const Value& result);
  void end_list();
  void take_letter(const Value& result);
  void take_count(const Value& result);

  DlqOptions options_;
  Look look_;
  std::vector<std::string> letters_;  ///< List, Causes: their bytes.
  std::uint64_t seen_ = 0;            ///< Letters on the pages so far.
  std::uint64_t after_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace conga::cli
