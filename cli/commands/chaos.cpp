// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/chaos.h"

#include "cli/complain.h"
#include "cli/text.h"
#include "common/core/clock.h"
#include "common/log/log.h"
#include "common/runtime/run.h"
#include "common/runtime/signals.h"
#include "common/runtime/zmq/zmq_transport.h"

#include <charconv>

namespace conga::cli {
namespace {

std::string summary(const RelayCounters& counters) {
  return "conga: relay: " + std::to_string(counters.deliveries) + " deliveries, "
         + std::to_string(counters.duplicated) + " sent twice, " + std::to_string(counters.held)
         + " held, " + counted(counters.acks_dropped, "ack") + " dropped\n";
}

std::string fault_of_relay(const ChaosOptions& options) {
  const MischiefOptions& mischief = options.relay.mischief;
  if (options.action == ChaosOptions::Action::Relay && options.listen == options.sidecar) {
    return "chaos relay stands between two endpoints: --listen, which the bus connects to, and "
           "--sidecar, which the sidecar is bound to, must differ";
  }
  const bool idle = mischief.duplicate <= 0 && mischief.drop_acks <= 0 && !mischief.reorder
                    && mischief.delay <= Duration(0);
  if (idle) {
    return "chaos has nothing to do: say --duplicate, --reorder, --delay or --drop-acks";
  }
  if (mischief.drop_acks > 0 && mischief.delay >= options.relay.ack_timeout) {
    return "chaos: --delay must be shorter than --ack-timeout, or every attempt may be late";
  }
  return "";
}

ExitCode run_relay(const ChaosOptions& options, Screen& screen, Look look) {
  Log log("conga", LogLevel::Warning, make_stderr_sink({}));
  const auto signals = Signals::open();
  if (!signals) return complain(screen, signals.error().what);
  const auto transport =
      ZmqTransport::link_relay(options.listen, options.sidecar, {}, signals->get(), log);
  if (!transport) {
    complain(screen, transport.error().what);
    return ExitCode::Usage;
  }
  ChaosRelay relay(
      options.relay,
      [&](const Deed& deed) { screen.print((look.json ? json_of(deed) : text_of(deed)) + "\n"); },
      [&](const std::string& warning) { complain(screen, warning); });
  const RunOptions run_options{.after_turn = [&screen](const Time& /*now*/) { screen.flush(); }};
  const auto ran = run(relay, **transport, SystemClock(), run_options);
  if (!ran) return complain(screen, ran.error().what);
  screen.note(summary(relay.counters()));
  return ExitCode::Done;
}

}  // namespace

Result<double> parse_percent(std::string_view text) {
  const auto wrong = [text] {
    return fail(Fault::Permanent,
                "'" + std::string(text) + "' is no share: write a number from 0 to 100 and %: 5%");
  };
  if (!text.ends_with('%')) return wrong();
  const char* const end = text.data() + text.size() - 1;
  double percent = 0;
  const auto read = std::from_chars(text.data(), end, percent, std::chars_format::fixed);
  const bool is_number = read.ec == std::errc() && read.ptr == end;
  if (!is_number || !(percent >= 0 && percent <= 100)) return wrong();
  return percent / 100;
}

std::string fault_of(const ChaosOptions& options) {
  if (options.action == ChaosOptions::Action::Compare) return fault_of(options.compare);
  std::string fault = fault_of_relay(options);
  const bool runs = options.action == ChaosOptions::Action::Run;
  return fault.empty() && runs ? fault_of(options.run) : fault;
}

ExitCode run_chaos(Files& files, const ChaosOptions& options, Screen& screen, Look look) {
  if (options.action == ChaosOptions::Action::Relay) return run_relay(options, screen, look);
  if (options.action == ChaosOptions::Action::Run) {
    return run_with_chaos(files, options.run, options.relay, options.compare, screen, look);
  }
  return compare_runs(files, options.compare, screen, look);
}

}  // namespace conga::cli
