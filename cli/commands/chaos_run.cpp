// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/chaos_run.h"

#include "cli/chaos/child.h"
#include "cli/complain.h"
#include "cli/text.h"
#include "common/config/config_reader.h"
#include "common/io/small_files.h"
#include "common/runtime/signals.h"
#include "common/wire/event/json.h"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <unistd.h>
#include <utility>

namespace conga::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kStart = seconds(30);  ///< For the bus to answer.
constexpr Duration kStop = seconds(20);   ///< For a daemon to end; some drain for 10 s.
constexpr Duration kLook = milliseconds(200);
constexpr int kStill = 5;  ///< So many looks without a change: a service may put what it decided
                           ///< on after it has settled.

std::string own_path() {
  std::error_code fault;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", fault);
  return fault ? "conga" : path.string();
}

/// A folder with a short name, as socket files need; removed at the end.
class Sockets {
public:
  Sockets() : path_("/tmp/conga-chaos-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }

  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  ~Sockets() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  bool made() const { return !path_.empty(); }

  std::string endpoint(std::string_view name) const {
    return "ipc://" + path_ + "/" + std::string(name);
  }

private:
  std::string path_;
};

std::string yaml_text(std::string_view text) {
  std::string out = "'";
  for (const char each : text) {
    out += each;
    if (each == '\'') out += '\'';
  }
  return out + "'";
}

std::string share_text(double share) {
  return std::to_string(share * 100) + "%";
}

/// `conga chaos relay`'s own words for what it is to do.
std::vector<std::string> words_of(const RelayOptions& relay) {
  const MischiefOptions& mischief = relay.mischief;
  std::vector<std::string> words{"--seed", std::to_string(mischief.seed)};
  const auto add = [&words](std::string_view name, std::string value) {
    words.emplace_back(name);
    words.push_back(std::move(value));
  };
  if (mischief.duplicate > 0) add("--duplicate", share_text(mischief.duplicate));
  if (mischief.drop_acks > 0) add("--drop-acks", share_text(mischief.drop_acks));
  if (mischief.delay > Duration(0)) add("--delay", format_duration(mischief.delay));
  if (mischief.reorder) words.emplace_back("--reorder");
  add("--ack-timeout", format_duration(relay.ack_timeout));
  if (mischief.targets.empty()) return words;
  std::string targets;
  for (const std::string& target : mischief.targets)
    targets += (targets.empty() ? "" : ",") + target;
  add("--targets", std::move(targets));
  return words;
}

/// One run: its folder, its daemons, and what it came to.
class Run {
public:
  Run(const ChaosRunOptions& options, std::string name, Signals& signals)
      : options_(options),
        name_(std::move(name)),
        folder_(options.folder + "/" + name_),
        signals_(signals) {}

  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  ~Run() { stop(); }

  std::string journal() const { return folder_ + "/journal"; }

  std::string deeds() const { return folder_ + "/deeds.jsonl"; }

  std::string log(std::string_view name) const {
    return folder_ + "/" + std::string(name) + ".log";
  }

  /// `relay`: null in a clean run. Returns what it came to, for people.
  Result<std::string> play(Files& files, const RelayOptions* relay) {
    if (!sockets_.made()) return fail(Fault::Permanent, "no folder can be made in /tmp");
    if (auto made = files.make_directory(folder_); !made) return made.failure();
    if (auto written = write_configuration(files, relay != nullptr); !written) {
      return written.failure();
    }
    if (auto started = start(relay); !started) return started.failure();
    if (auto put = put_events(); !put) return put.failure();
    if (auto quiet = wait_until_quiet(); !quiet) return quiet.failure();
    stop();
    return name_ + ": " + std::to_string(seen_.first) + " events, " + std::to_string(seen_.second)
           + " deliveries settled";
  }

private:
  struct Daemon {
    std::string name;
    std::unique_ptr<Child> child;
  };

  Result<> write_configuration(Files& files, bool relayed) {
    const std::string rules = std::filesystem::absolute(options_.rules).string();
    const std::string sidecar = "link: " + yaml_text(sockets_.endpoint("sidecar"))
                                + "\njournal: {directory: journal, retention-age: 3650d}\n";
    const std::string bus = "publish: " + yaml_text(sockets_.endpoint("publish")) + "\nsubscribe: "
                            + yaml_text(sockets_.endpoint("subscribe")) + "\nrules: "
                            + yaml_text(rules) + "\nsidecar: process\nlink: {endpoint: "
                            + yaml_text(sockets_.endpoint(relayed ? "relay" : "sidecar")) + "}\n";
    if (auto put = replace_file(files, folder_ + "/sidecar.yaml", sidecar); !put) return put;
    return replace_file(files, folder_ + "/bus.yaml", bus);
  }

  Child::Command command(std::string_view name, std::vector<std::string> argv) const {
    return {.argv = std::move(argv),
            .environment = {{"CONGA_PUBLISH", sockets_.endpoint("publish")},
                            {"CONGA_SUBSCRIBE", sockets_.endpoint("subscribe")},
                            {"CONGA_RUN", std::filesystem::absolute(folder_).string()}},
            .output = log(name),
            .errors = log(name)};
  }

  Result<> add(const std::string& name, const Child::Command& what) {
    auto child = Child::start(what);
    if (!child) return child.failure();
    daemons_.push_back({name, std::move(*child)});
    return {};
  }

  Result<> start(const RelayOptions* relay) {
    if (relay != nullptr) {
      std::vector<std::string> argv{own_path(), "chaos", "relay", "--json"};
      argv.insert(argv.end(), {"--listen", sockets_.endpoint("relay")});
      argv.insert(argv.end(), {"--sidecar", sockets_.endpoint("sidecar")});
      for (std::string& word : words_of(*relay)) argv.push_back(std::move(word));
      Child::Command what = command("relay", std::move(argv));
      what.output = deeds();
      if (auto added = add("relay", what); !added) return added;
    }
    const std::string sidecar = folder_ + "/sidecar.yaml";
    const std::string bus = folder_ + "/bus.yaml";
    auto added = add("sidecar", command("sidecar", {options_.sidecar, "--config", sidecar}));
    if (added) added = add("bus", command("bus", {options_.bus, "--config", bus}));
    for (std::size_t number = 0; added && number < options_.services.size(); ++number) {
      const std::string name = "service-" + std::to_string(number + 1);
      added = add(name, command(name, {"/bin/sh", "-c", options_.services[number]}));
    }
    return added;
  }

  /// Whether nobody wants us to stop and all daemons are there.
  Result<> check() {
    if (signals_.take().stop) return fail(Fault::Permanent, "interrupted", "Interrupted");
    for (const Daemon& daemon : daemons_) {
      const auto code = daemon.child->wait(Duration(0), -1);
      if (!code) continue;
      return fail(Fault::Permanent,
                  name_ + ": " + daemon.name + " ended by itself with code " + std::to_string(*code)
                      + ": see " + log(daemon.name));
    }
    return {};
  }

  /// Runs one of our own commands to its end.
  Result<int> run_own(std::string_view name,
                      std::vector<std::string> arguments,
                      Duration patience) {
    arguments.insert(arguments.begin(), own_path());
    Child::Command what = command(name, std::move(arguments));
    what.errors = log(std::string(name) + "-errors");
    auto child = Child::start(what);
    if (!child) return child.failure();
    const SystemClock clock;
    const SteadyTime end = clock.now().steady + patience;
    while (clock.now().steady < end) {
      if (const auto code = (*child)->wait(kLook, signals_.descriptor())) return *code;
      if (auto well = check(); !well) return well.failure();
    }
    return fail(Fault::Permanent,
                name_ + ": not done within " + human_duration(patience) + ": see " + log(name));
  }

  Result<> put_events() {
    const auto code = run_own(
        "put", {"put", "--timeout", format_duration(kStart), options_.events}, options_.patience);
    if (!code) return code.failure();
    if (*code == 0) return {};
    return fail(
        Fault::Permanent,
        name_ + ": not all events were accepted: see " + log("put") + " and " + log("put-errors"));
  }

  Result<> wait_until_quiet() {
    const SystemClock clock;
    const SteadyTime end = clock.now().steady + options_.patience;
    int still = 0;
    while (still < kStill) {
      if (clock.now().steady > end) {
        return fail(Fault::Permanent,
                    name_ + ": not quiet within " + human_duration(options_.patience)
                        + ": does every service of the rules run? See the logs in " + folder_);
      }
      const auto counted = counts_if_idle();
      if (!counted) return counted.failure();
      const bool same = *counted && **counted == seen_;
      still = same ? still + 1 : 0;
      if (*counted) seen_ = **counted;
    }
    return {};
  }

  /// Events accepted and deliveries settled; nothing while something is pending.
  Result<std::optional<std::pair<std::uint64_t, std::uint64_t>>> counts_if_idle() {
    using Counts = std::optional<std::pair<std::uint64_t, std::uint64_t>>;
    const auto code = run_own("status", {"status", "--idle", "--patience", "1s", "--json"}, kStart);
    if (!code) return code.failure();
    const auto text = read_text_file(log("status"));
    const auto bytes =
        *code == 0 && text ? json_to_msgpack(*text) : Result<std::string>(std::string());
    if (!bytes || bytes->empty()) return Counts();
    const Value status = Value::trusted(*bytes);
    const auto sidecar = status.find("sidecar");
    const auto counters = sidecar ? sidecar->find("counters") : std::nullopt;
    if (!counters) return Counts();
    return Counts({count_of(*counters, "accepted"), count_of(*counters, "settled")});
  }

  /// The services first, the relay last.
  void stop() {
    while (!daemons_.empty()) {
      daemons_.back().child->stop(kStop);
      daemons_.pop_back();
    }
  }

  const ChaosRunOptions& options_;
  const std::string name_;
  const std::string folder_;
  Signals& signals_;
  Sockets sockets_;
  std::vector<Daemon> daemons_;  ///< In the order of starting.
  std::pair<std::uint64_t, std::uint64_t> seen_{};
};

}  // namespace

std::string fault_of(const ChaosRunOptions& options) {
  std::error_code fault;
  const std::filesystem::path folder(options.folder);
  if (std::filesystem::exists(folder, fault) && !std::filesystem::is_empty(folder, fault)) {
    return "chaos run: --folder " + options.folder + " is there and not empty: name a new one";
  }
  return "";
}

ExitCode run_with_chaos(Files& files,
                        const ChaosRunOptions& options,
                        const RelayOptions& relay,
                        CompareOptions compare,
                        Screen& screen,
                        Look look) {
  const auto signals = Signals::open();
  if (!signals) return complain(screen, signals.error().what);
  // What differs even between two clean runs is no fault of anybody's.
  for (const std::string name : {"clean-1", "clean-2", "chaos"}) {
    const bool troubled = name == "chaos";
    Run run(options, name, **signals);
    const auto played = run.play(files, troubled ? &relay : nullptr);
    if (!played) {
      complain(screen, played.error().what);
      return played.error().code == "Interrupted" ? ExitCode::Interrupted : ExitCode::Usage;
    }
    screen.note("conga: " + *played + "\n");
    if (troubled) {
      if (const auto told = read_text_file(run.log("relay"))) screen.note(*told);
      compare.chaos = run.journal();
      compare.deeds = run.deeds();
    } else {
      compare.clean.push_back(run.journal());
    }
  }
  return compare_runs(files, compare, screen, look);
}

}  // namespace conga::cli
