// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/daemon.h"

#include "common/core/version.h"
#include "common/runtime/sd_notify.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <utility>

namespace conga {
namespace {

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

  void make() const {
    if (!path_.empty()) std::ofstream(path_) << "ready\n";
  }

private:
  std::string path_;
};

/// After each turn: pings systemd's watchdog and, once, tells that the Node is ready.
class Readiness {
public:
  Readiness(const Node& node, Log& log, const ReadyFile& file)
      : node_(node), log_(log), file_(file) {}

  void after_turn() {
    sd_notify("WATCHDOG=1");
    if (told_ || !node_.ready()) return;
    told_ = true;
    file_.make();
    sd_notify("READY=1");
    log_.info("ready");
  }

private:
  const Node& node_;
  Log& log_;
  const ReadyFile& file_;
  bool told_ = false;
};

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
  Readiness readiness(node, log, ready_file);
  options.after_turn = [&readiness] { readiness.after_turn(); };
  const auto ended = run(node, transport, clock, options);
  sd_notify("STOPPING=1");
  if (!ended) {
    log.error(ended.error().what);
    return complain(info, ended.error(), kExitRefused);
  }
  log.info("stopped");
  return kExitDone;
}

}  // namespace conga
