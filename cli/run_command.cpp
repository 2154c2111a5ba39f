// SPDX-License-Identifier: Apache-2.0

#include "cli/run_command.h"

#include "cli/commands/archive.h"
#include "cli/commands/chaos.h"
#include "cli/commands/journal.h"
#include "cli/commands/map.h"
#include "cli/commands/redrive.h"
#include "cli/commands/rules_change.h"
#include "cli/commands/rules_offline.h"
#include "cli/commands/trace.h"
#include "cli/endpoints.h"
#include "cli/event_filter.h"
#include "cli/terminal.h"
#include "common/config/config_reader.h"
#include "common/io/posix_files.h"
#include "common/log/log.h"
#include "common/runtime/run.h"
#include "common/runtime/signals.h"
#include "common/runtime/zmq/zmq_transport.h"

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <pwd.h>
#include <string>
#include <unistd.h>
#include <utility>
#include <variant>

namespace conga::cli {
namespace {

/// A command, or an Error that makes the command line senseless.
using Made = Result<std::unique_ptr<BusCommand>>;

/// The file's text, if its rules are right.
Result<std::string> read_rules(const std::string& path) {
  auto text = read_text_file(path);
  if (!text) return text;
  const bus::RuleFile file{.name = path, .text = *text};
  const auto rules = bus::RuleSet::parse({&file, 1});
  if (!rules) return rules.failure();
  return text;
}

/// Makes the Node of each command that needs a bus.
struct Maker {
  const ClientSettings& settings;
  Random& random;
  Screen& screen;
  const Look& look;
  const Clock& clock;
  Files& files;

  Made operator()(const PutOptions& options) const {
    auto lines = open_input(options);
    if (!lines) return lines.failure();
    return std::make_unique<Put>(settings, options, std::move(*lines), random, screen, look);
  }

  Made operator()(const TapOptions& options) const {
    EventFilter filter;
    if (!options.pattern.empty()) {
      auto made = filter_of_pattern(options.pattern);
      if (!made) return made.failure();
      filter = std::move(*made);
    }
    std::unique_ptr<LineSource> past;
    if (!options.since.empty()) {
      auto opened = open_past(options, clock);
      if (!opened) return opened.failure();
      past = std::move(*opened);
    }
    return std::make_unique<Tap>(
        settings, options, std::move(filter), std::move(past), screen, look);
  }

  Made operator()(const TraceOptions& options) const {
    return std::make_unique<Trace>(settings, options, screen, look);
  }

  Made operator()(const DlqOptions& options) const {
    if (options.action == DlqOptions::Action::Purge && !options.yes) {
      if (!stdin_is_terminal()) {
        return fail(Fault::Permanent, "dlq purge deletes for good: say --yes to mean it");
      }
      if (!confirm(purge_question(options))) {
        return fail(Fault::Permanent, "dlq purge: nothing was deleted", "Declined");
      }
    }
    if (options.action == DlqOptions::Action::Redrive) {
      return std::make_unique<Redrive>(settings, options, screen, look);
    }
    const bool tasks =
        options.action == DlqOptions::Action::Tasks || options.action == DlqOptions::Action::Cancel;
    if (tasks) return std::make_unique<RedriveTasks>(settings, options, screen, look);
    return std::make_unique<Dlq>(settings, options, screen, look);
  }

  Made operator()(const AuditOptions& options) const {
    return std::make_unique<Audit>(settings, options, screen, look);
  }

  Made operator()(const RulesOptions& options) const {
    const bool reads = options.action == RulesOptions::Action::List
                       || options.action == RulesOptions::Action::Reload;
    if (reads) return std::make_unique<Rules>(settings, options.action, screen, look);
    std::string text;
    if (options.action == RulesOptions::Action::Apply) {
      // Told here, a fault is told with the name that the person gave the file.
      auto checked = read_rules(options.files.front());
      if (!checked) return checked.failure();
      text = std::move(*checked);
    }
    return std::make_unique<RulesChange>(settings, options, std::move(text), screen, look);
  }

  /// Never asked: it needs no bus. So the next.
  Made operator()(const JournalOptions& /*options*/) const {
    return fail(Fault::Permanent, "journal needs no bus");
  }

  Made operator()(const MapOptions& /*options*/) const {
    return fail(Fault::Permanent, "map needs no bus");
  }

  Made operator()(const ArchiveOptions& /*options*/) const {
    return fail(Fault::Permanent, "archive needs no bus");
  }

  Made operator()(const WhyOptions& /*options*/) const {
    return fail(Fault::Permanent, "why needs no bus");
  }

  Made operator()(const ChaosOptions& /*options*/) const {
    return fail(Fault::Permanent, "chaos needs no bus");
  }

  /// `options` are settled.
  Made operator()(const ReplayOptions& options) const {
    const auto pace = parse_speed(options.speed);
    if (!pace) return fail(Fault::Permanent, "--speed: " + pace.error().what);
    const std::string& name = options.name;
    auto bookmark = open_bookmark(files, options);
    if (!bookmark) return bookmark.failure();
    auto lines = open_replay(options.choice, name, options.to, *pace, clock, std::move(*bookmark));
    if (!lines) return lines.failure();
    if (!look.json) screen.note("replay " + name + "\n");
    return std::make_unique<Put>(
        settings, put_options_of(options), std::move(*lines), random, screen, look);
  }

  Made operator()(const TargetOptions& options) const {
    return std::make_unique<Target>(settings, options, screen, look);
  }

  Made operator()(const TopOptions& options) const {
    return std::make_unique<Top>(settings, options, open_keyboard(), screen, look);
  }

  Made operator()(const StatusOptions& options) const {
    return std::make_unique<Status>(settings, options, screen, look);
  }
};

ExitCode complain(Screen& screen, const Error& error, ExitCode code) {
  screen.note("conga: " + error.what + "\n");
  return code;
}

/// Unique per process, as every client's name must be.
std::string client_name(Random& random) {
  constexpr std::uint64_t kDigits = 0xffff'ffff;
  return "conga-" + std::to_string(::getpid()) + "-" + std::to_string(random.bits() & kDigits);
}

/// `user@host`, for audits. The effective user, for that is who may do it.
std::string person() {
  constexpr std::size_t kLongestHost = 256;
  std::array<char, kLongestHost> host{};
  static_cast<void>(::gethostname(host.data(), host.size() - 1));
  const passwd* const user = ::getpwuid(::geteuid());
  const std::string name = user != nullptr ? user->pw_name : std::to_string(::geteuid());
  return name + "@" + host.data();
}

ExitCode drive(BusCommand& command,
               const ClientSettings& settings,
               Signals& signals,
               Screen& screen) {
  Log log("conga", LogLevel::Warning, make_stderr_sink({}));
  ZmqOptions options;
  options.linger = Duration(0);  // what matters has been answered for
  const auto transport = ZmqTransport::client(
      settings.publish, settings.subscribe, command.subscriptions(), options, &signals, log);
  if (!transport) return complain(screen, transport.error(), ExitCode::Usage);
  const SystemClock clock;
  const auto ran =
      run(command, **transport, clock, {}, [&command] { return command.exit_code().has_value(); });
  screen.flush();
  if (!ran) return complain(screen, ran.error(), ExitCode::Refused);
  // Without a code the time to end in was over before a second Ctrl-C or the bus's last answer.
  return command.exit_code().value_or(ExitCode::Refused);
}

/// How to go on with a replay that did not come to its end.
ExitCode tell_how_to_resume(const ReplayOptions& replay,
                            bool own_state,
                            ExitCode code,
                            Screen& screen) {
  std::error_code error;
  if (!std::filesystem::exists(replay.state, error)) return code;
  screen.note("conga: not finished; go on with: conga replay --resume " + replay.name
              + (own_state ? " --state " + replay.state : "") + "\n");
  screen.flush();
  return code == ExitCode::Done ? ExitCode::Interrupted : code;
}

bool is_offline(const RulesOptions& rules) {
  switch (rules.action) {
    case RulesOptions::Action::List:
    case RulesOptions::Action::Reload:
    case RulesOptions::Action::Apply:
    case RulesOptions::Action::Rollback:
    case RulesOptions::Action::Versions:
      return false;
    case RulesOptions::Action::Check:
    case RulesOptions::Action::Test:
    case RulesOptions::Action::Flow:
    case RulesOptions::Action::Lint:
    case RulesOptions::Action::Diff:
    case RulesOptions::Action::Stats:
      return true;
  }
  return true;
}

/// Nothing if the command needs a bus.
std::optional<ExitCode> run_without_bus(const CommandOptions& command, Screen& screen, Look look) {
  PosixFiles files;
  const WallTime now = SystemClock().now().wall;
  if (const auto* journal = std::get_if<JournalOptions>(&command)) {
    return run_journal(files, *journal, screen, look);
  }
  if (const auto* map = std::get_if<MapOptions>(&command)) {
    return show_map(files, *map, now, screen, look);
  }
  if (const auto* archive = std::get_if<ArchiveOptions>(&command)) {
    return run_archive(files, *archive, now, screen, look);
  }
  if (const auto* why = std::get_if<WhyOptions>(&command)) {
    return explain_event(files, *why, screen, look);
  }
  if (const auto* chaos = std::get_if<ChaosOptions>(&command)) {
    return run_chaos(files, *chaos, screen, look);
  }
  const auto* rules = std::get_if<RulesOptions>(&command);
  if (rules == nullptr || !is_offline(*rules)) return std::nullopt;
  return run_offline(*rules, screen, look);
}

}  // namespace

ExitCode run_command(const Arguments& arguments, Random& random, Screen& screen, const Look& look) {
  if (const auto code = run_without_bus(arguments.command, screen, look)) {
    screen.flush();
    return *code;
  }
  const auto endpoints = find_endpoints(arguments);
  if (!endpoints) return complain(screen, endpoints.error(), ExitCode::Usage);
  const ClientSettings settings{.name = client_name(random),
                                .nonce = random.bits(),
                                .publish = endpoints->publish,
                                .subscribe = endpoints->subscribe,
                                .timeout = arguments.timeout,
                                .by = person()};
  // A question to the person comes before the signals become input of the loop.
  const SystemClock clock;
  PosixFiles files;
  CommandOptions options = arguments.command;
  auto* const replay = std::get_if<ReplayOptions>(&options);
  const bool own_state = replay != nullptr && !replay->state.empty();
  if (replay != nullptr) {
    auto whole = settled(files, *replay, clock.now().wall);
    if (!whole) return complain(screen, whole.error(), ExitCode::Usage);
    *replay = std::move(*whole);
  }
  const auto command = std::visit(Maker{settings, random, screen, look, clock, files}, options);
  if (!command) {
    const bool declined = command.error().code == "Declined";
    return complain(screen, command.error(), declined ? ExitCode::Refused : ExitCode::Usage);
  }
  const auto signals = Signals::open();
  if (!signals) return complain(screen, signals.error(), ExitCode::Refused);
  const ExitCode code = drive(**command, settings, **signals, screen);
  return replay == nullptr ? code : tell_how_to_resume(*replay, own_state, code, screen);
}

}  // namespace conga::cli
