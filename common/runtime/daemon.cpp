// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/daemon.h"

#include "common/core/version.h"
#include "common/runtime/sd_notify.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <unistd.h>
#include <utility>

namespace conga {
namespace {

using namespace std::chrono_literals;

/// The sign for scripts that the daemon is ready; gone when the daemon is.
class ReadyFile {
public:
  explicit ReadyFile(std::string path) : path_(std::move(path)) {
    if (!path_.empty()) std::remove(path_.c_str());
  }

  ReadyFile(const ReadyFile&) = delete;
  ReadyFile& operator=(const ReadyFile&) = delete;

  ~ReadyFile() {
    if (!path_.empty()) std::remove(path_.c_str());
  }

  bool make() const {
    return path_.empty() || static_cast<bool>(std::ofstream(path_) << ::getpid() << std::endl);
  }

private:
  std::string path_;
};

/// After each turn: pings systemd's watchdog and, once, tells that the Node is ready.
class Readiness {
public:
  Readiness(const Node& node, Log& log, const ReadyFile& file, ServiceManager& manager)
      : node_(node), log_(log), file_(file), manager_(manager) {}

  void after_turn(const Time& now) {
    manager_.alive(now);
    log_.on_time(now);
    if (told_ || !node_.ready()) return;
    told_ = true;
    if (!file_.make()) log_.warning("the ready file cannot be written");
    manager_.ready();
    log_.info("ready");
  }

private:
  const Node& node_;
  Log& log_;
  const ReadyFile& file_;
  ServiceManager& manager_;
  bool told_ = false;
};

void tell_end(RunEnd end, const RunOptions& options, Log& log) {
  switch (end) {
    case RunEnd::Done:
    case RunEnd::Drained:
      log.info("stopped");
      break;
    case RunEnd::CutShort:
      log.warning("stopped with work in hand, which comes again after the next start",
                  {{"drain-limit", options.drain_limit}});
      break;
    case RunEnd::Interrupted:
      log.warning("stopped at once by a second signal");
      break;
  }
}

/// One report at a time: they would write into each other's output.
void add_report(CLI::App& app, const ReportFlag& report, DaemonFlags& flags) {
  const auto chosen = [&flags, &report](const std::string& argument) {
    if (!flags.report.empty()) throw CLI::ExcludesError(report.flag, flags.report);
    flags.report = report.flag;
    flags.report_argument = argument;
  };
  if (report.argument.empty()) {
    app.add_flag_callback(
        report.flag, [chosen] { chosen({}); }, report.description);
  } else {
    app.add_option_function<std::string>(report.flag, chosen, report.description)
        ->type_name(report.argument);
  }
}

}  // namespace

std::optional<int> parse_flags(const DaemonInfo& info, int argc, char** argv, DaemonFlags& flags) {
  CLI::App app(info.description, info.name);
  flags.config = info.config;
  CLI::Option* const config =
      app.add_option("-c,--config", flags.config, "The configuration file (YAML)");
  info.config.empty() ? config->required() : config->capture_default_str();
  app.add_option("--set", flags.sets, "Sets a key of the configuration: section.key=value")
      ->allow_extra_args(false);
  app.add_option("--ready-file", flags.ready_file, "Make this file once ready, for scripts");
  app.add_flag("--check", flags.check, "Read the configuration, tell every fault, and end");
  for (const ReportFlag& report : info.reports) add_report(app, report, flags);
  app.set_version_flag("--version", info.name + " " + std::string(kVersion));
  app.footer("Examples:\n" + info.examples
             + "\nSignals: SIGTERM and SIGINT stop it cleanly, SIGHUP reloads.\n"
               "Exit codes: 0 stopped as asked, 1 could not start or go on, 2 wrong usage or "
               "configuration.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kExitDone : kExitUsage;
  }
  return std::nullopt;
}

void read_log_options(ConfigReader& reader, LogOptions& options) {
  ConfigReader log = reader.section("log");
  log.choice<LogLevel>("level",
                       options.level,
                       {{"debug", LogLevel::Debug},
                        {"info", LogLevel::Info},
                        {"warning", LogLevel::Warning},
                        {"error", LogLevel::Error}});
  log.choice<LogOptions::Format>(
      "format",
      options.format,
      {{"text", LogOptions::Format::Text}, {"json", LogOptions::Format::Json}});
  log.finish();
}

void read_metrics_options(ConfigReader& reader, MetricsOptions& options) {
  std::string listen = "off";
  reader.text("listen", listen);
  if (is_listen_address(listen)) {
    options.listen = listen;
  } else if (listen != "off") {
    reader.fault("listen", "expected off, or an IP address and a port: 127.0.0.1:9464");
  }
}

Result<MetricsEndpoint> MetricsEndpoint::open(const MetricsOptions& options, const Node& node) {
  MetricsEndpoint endpoint;
  endpoint.node_ = &node;
  if (options.listen.empty()) return endpoint;
  auto server = MetricsServer::open(options.listen);
  if (!server) return server.failure();
  endpoint.server_ = std::move(*server);
  return endpoint;
}

void MetricsEndpoint::after_turn(const Time& now) const {
  if (!server_ || !server_->wanted()) return;
  MetricsPage page;
  node_->measure(now, page);
  server_->publish(std::move(page));
}

Result<> load_config(const DaemonFlags& flags, const std::function<void(ConfigReader&)>& read) {
  const auto document = load_config(flags.config, flags.sets);
  if (!document) return document.failure();
  ConfigFaults faults(flags.config);
  ConfigReader reader(*document, "", faults);
  read(reader);
  reader.finish();
  if (faults.empty()) return {};
  return tl::unexpected<Error>(faults.error());
}

int complain(const DaemonInfo& info, const Error& error, int code) {
  std::string_view rest = error.what;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    std::fprintf(
        stderr, "%s: %.*s\n", info.name.c_str(), static_cast<int>(line.size()), line.data());
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return code;
}

int serve(const DaemonInfo& info,
          const DaemonFlags& flags,
          Node& node,
          Transport& transport,
          const Clock& clock,
          Log& log,
          RunOptions options) {
  const ReadyFile ready_file(flags.ready_file);
  ServiceManager manager = ServiceManager::from_environment();
  Readiness readiness(node, log, ready_file, manager);
  const auto also = std::move(options.after_turn);
  options.after_turn = [&readiness, &also](const Time& now) {
    readiness.after_turn(now);
    if (also) also(now);
  };
  options.longest_wait = std::min(options.longest_wait, manager.longest_wait().value_or(1s));
  log.info(info.name + " starts",
           {{"version", kVersion}, {"pid", ::getpid()}, {"config", flags.config}});
  const auto ended = run(node, transport, clock, options);
  manager.stopping();
  if (!ended) {
    log.error(ended.error().what);
    return kExitRefused;
  }
  tell_end(*ended, options, log);
  return kExitDone;
}

}  // namespace conga
