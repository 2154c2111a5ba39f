// SPDX-License-Identifier: Apache-2.0
//
// Daemon: what the mains of bus, sidecar and services have in common: flags, the configuration
// file, exit codes, readiness, the loop. A main() builds its locals in order and stays short.

#pragma once

#include "common/config/config_reader.h"
#include "common/core/result.h"
#include "common/log/log.h"
#include "common/metrics/metrics_server.h"
#include "common/runtime/node.h"
#include "common/runtime/run.h"
#include "common/runtime/transport.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace conga {

/// Exit codes of every daemon.
enum ExitCode : int {
  kExitDone = 0,     ///< Stopped as asked.
  kExitRefused = 1,  ///< Could not start or go on; one sentence on standard error says why.
  kExitUsage = 2,    ///< A flag or the configuration is wrong; every fault is on standard error.
};

/// A flag that makes a daemon tell something, and end. It is told from what is stored, so it works
/// beside a running daemon.
struct ReportFlag {
  std::string flag;         ///< `--map`.
  std::string argument;     ///< What follows the flag, for --help: `FLIGHT`; empty: nothing does.
  std::string description;  ///< One sentence for --help.
};

struct DaemonInfo {
  std::string name;         ///< `conga-bus`.
  std::string description;  ///< One sentence for --help.
  std::string config;       ///< The default of --config; empty: it must be given.
  std::string examples;     ///< Lines at the end of --help.
  std::vector<ReportFlag> reports = {};
};

struct DaemonFlags {
  std::string config;             ///< --config FILE
  std::vector<std::string> sets;  ///< --set KEY=VALUE, any number
  std::string ready_file;         ///< --ready-file FILE: made when the daemon is ready
  bool check = false;             ///< --check: read the configuration, say what is wrong, and end
  std::string report = {};        ///< The report flag that was given, `--map`; empty: none.
  std::string report_argument = {};
};

/// Fills `flags`; a value is the code to exit with at once (--help, --version, a wrong flag).
std::optional<int> parse_flags(const DaemonInfo& info, int argc, char** argv, DaemonFlags& flags);

/// The log section that every configuration has: `log: {level, format}`.
void read_log_options(ConfigReader& reader, LogOptions& options);

/// The key `listen` of the section `metrics` of bus and sidecar.
void read_metrics_options(ConfigReader& reader, MetricsOptions& options);

/// Serves what `node` measures, from after_turn(); both must outlive it. Without an address it does
/// nothing.
class MetricsEndpoint {
public:
  static Result<MetricsEndpoint> open(const MetricsOptions& options, const Node& node);

  void after_turn(const Time& now) const;

  /// 0: there is no endpoint.
  int port() const { return server_ ? server_->port() : 0; }

private:
  const Node* node_ = nullptr;
  std::unique_ptr<MetricsServer> server_;
};

/// Reads the file of `flags` with its --set values and hands it to `read`, which calls the
/// reader for every key; unknown keys are then faults. The Error holds one fault a line.
Result<> load_config(const DaemonFlags& flags, const std::function<void(ConfigReader&)>& read);

/// Prints an error as `name: what`, one line each, and returns `code`.
int complain(const DaemonInfo& info, const Error& error, int code);

/// Runs the Node until a signal ends it. Says when it is ready: in the log, to systemd, and by
/// making the ready file; removes that at the end. Returns the exit code.
int serve(const DaemonInfo& info,
          const DaemonFlags& flags,
          Node& node,
          Transport& transport,
          const Clock& clock,
          Log& log,
          RunOptions options = {});

}  // namespace conga
