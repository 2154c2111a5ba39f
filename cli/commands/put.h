// SPDX-License-Identifier: Apache-2.0
//
// `conga put`: gets events onto the bus and says of each whether it is durable. An event counts
// once the bus has answered for it, never because it was sent.

#pragma once

#include "cli/bus_command.h"
#include "cli/line_source.h"
#include "cli/progress.h"
#include "common/client/publisher.h"
#include "common/core/ids.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace conga::cli {

struct PutOptions {
  std::string input{};  ///< A JSON event, a file of JSON lines, or `-`; empty: the flags say it.
  std::string source{};
  std::string detail_type{};
  std::string detail{};  ///< JSON, or `@file`.
  std::string correlation_id{};
  std::string key{};
  std::string id{};
  std::uint64_t count = 1;
  double rate = 0;                               ///< Events a second; 0: as fast as they are taken.
  Duration patience = std::chrono::seconds(30);  ///< Without any answer, before giving up.
  bool quiet = false;                            ///< Says nothing of what was accepted.
  std::vector<std::string> rules{};  ///< That the bus must have, or nothing is put. So the next.
  std::vector<std::string> targets{};
};

/// `500`, `500/s`, `2.5/s`.
Result<double> parse_rate(std::string_view text);

/// Where the events of these options come from. Refused (Permanent) if they contradict each other.
Result<std::unique_ptr<LineSource>> open_input(const PutOptions& options);

class Put final : public BusCommand {
public:
  /// `random` and `screen` must outlive it.
  Put(const ClientSettings& settings,
      PutOptions options,
      std::unique_ptr<LineSource> lines,
      Random& random,
      Screen& screen,
      Look look);

  /// Ctrl-C: reads no more, and waits for the answers that are still due.
  void drain(const Time& now) override;

protected:
  void begin(const Time& now) override;
  void answered(const Time& now, const Answer& answer) override;
  void take(const Time& now, Frame& frame) override;
  void turn(const Time& now) override;
  std::optional<SteadyTime> due() const override;
  void emit(const Time& now, std::vector<Frame>& out) override;

private:
  void read_lines(const Time& now);
  bool is_paced(const Time& now);
  void offer(const Time& now, std::string_view line);
  void report_results(const Time& now);
  void report(const PutResult& result, std::uint64_t line);
  void report_ok(const std::string& id, std::uint64_t line);
  void report_refused(std::uint64_t line, const std::string& id, const Error& error);
  void show_progress(const Time& now);
  void hide_progress();
  void end(const Time& now);
  void tell_done();

  PutOptions options_;
  std::unique_ptr<LineSource> lines_;
  UuidFactory ids_;
  Look look_;
  bool numbered_;  ///< There may be several events: say which one was refused.
  Publisher publisher_;
  std::string results_;                                          ///< Our `put-result/CLIENT`.
  std::map<std::string, std::vector<std::uint64_t>> in_flight_;  ///< Line numbers by event id.
  std::uint64_t line_ = 0;
  std::uint64_t offered_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  bool named_ = true;    ///< The rules and targets that the options name are known to the bus.
  bool ended_ = false;   ///< Nothing more to read.
  bool broken_ = false;  ///< The input could not be read to its end.
  SteadyTime started_;
  SteadyTime last_answer_;
  SteadyTime next_event_;                ///< With --rate: not before.
  std::optional<SteadyTime> next_read_;  ///< Nothing: only an answer makes room for more.
  SteadyTime next_drawing_;
  SteadyTime next_telling_;  ///< Of the lines that are done with, to where they come from.
  bool drawn_ = false;
};

}  // namespace conga::cli
