// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"

#include "common/core/random.h"
#include "common/log/log.h"
#include "common/runtime/daemon.h"
#include "common/runtime/signals.h"
#include "common/runtime/zmq/zmq_transport.h"
#include "services/kit/effect_runner.h"
#include "services/kit/service_node.h"

#include <array>
#include <iostream>
#include <optional>
#include <unistd.h>

namespace conga::kit {
namespace {

struct ServiceConfig {
  std::string publish = "tcp://127.0.0.1:7461";
  std::string subscribe = "tcp://127.0.0.1:7462";
  std::string database;
  std::uint32_t credit = 256;
  std::uint32_t window = 1024;
  LogOptions log;
};

constexpr std::string_view kManifestFlag = "--manifest";

std::string service_of(const ServiceProgram& program) {
  return std::string(program.manifest.service);
}

void read_config(const ServiceProgram& program, ConfigReader& reader, ServiceConfig& config) {
  ConfigReader bus = reader.section("bus");
  bus.endpoint("publish", config.publish);
  bus.endpoint("subscribe", config.subscribe);
  bus.finish();
  reader.require("database");
  reader.path("database", config.database);
  reader.integer("credit", config.credit, 1, 10'000);
  reader.integer("window", config.window, 1, 100'000);
  read_log_options(reader, config.log);
  ConfigReader own = reader.section(service_of(program));
  program.configure(own);
  own.finish();
}

std::vector<ReportFlag> flags_of(const std::vector<Report>& reports) {
  std::vector<ReportFlag> flags{
      {.flag = std::string(kManifestFlag),
       .argument = {},
       .description = "Tell what it consumes and emits, as JSON, and end"}};
  for (const Report& report : reports) flags.push_back(report.flag);
  return flags;
}

struct Effects {
  std::unique_ptr<EffectRunner> runner;
  std::optional<int> descriptor;  ///< Readable when an effect has ended.
};

Result<Effects> open_effects(const ServiceProgram& program, Handlers& handlers) {
  const std::size_t threads = program.effect_workers ? program.effect_workers() : 0;
  if (threads == 0) return Effects{.runner = inline_effects(handlers), .descriptor = {}};
  auto workers = EffectWorkers::open(handlers, threads);
  if (!workers) return workers.failure();
  const int descriptor = (*workers)->descriptor();
  return Effects{.runner = std::move(*workers), .descriptor = descriptor};
}

/// Tells the report that was asked for; the exit code.
int tell(const DaemonInfo& info,
         const ServiceProgram& program,
         const DaemonFlags& flags,
         Handlers& handlers,
         Database& database) {
  if (auto migrated = handlers.migrate(); !migrated) {
    return complain(info, migrated.error(), kExitRefused);
  }
  for (const Report& report : program.reports) {
    if (report.flag.flag != flags.report) continue;
    const auto text = report.tell(database, flags.report_argument);
    if (!text) return complain(info, text.error(), kExitRefused);
    std::cout << *text;
  }
  return kExitDone;
}

/// Unique among all processes on the bus: host, pid, random part.
std::string instance_name(const std::string& service, Random& random) {
  std::array<char, 64> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string name = service + "-" + host.data() + "-" + std::to_string(::getpid()) + "-";
  constexpr std::string_view kLetters = "abcdefghijkmnpqrstuvwxyz23456789";
  for (int at = 0; at < 6; ++at) name += kLetters[random.below(kLetters.size())];
  return name;
}

}  // namespace

int service_main(const ServiceProgram& program, int argc, char** argv) {
  const std::string name = "conga-" + service_of(program);
  const DaemonInfo info{.name = name,
                        .description = program.description,
                        .config = "config/" + service_of(program) + ".yaml",
                        .examples = "  " + name + "\n  " + name + " --config /etc/conga/"
                                    + service_of(program)
                                    + ".yaml --set bus.publish=tcp://10.0.0.5:7461",
                        .reports = flags_of(program.reports)};
  DaemonFlags flags;
  if (const auto code = parse_flags(info, argc, argv, flags)) return *code;
  if (flags.report == kManifestFlag) {
    std::cout << to_json(program.manifest);
    return kExitDone;
  }
  ServiceConfig config;
  const auto loaded =
      load_config(flags, [&](ConfigReader& reader) { read_config(program, reader, config); });
  if (!loaded) return complain(info, loaded.error(), kExitUsage);
  if (flags.check) return kExitDone;

  Log log(service_of(program), config.log);
  auto signals = Signals::open();
  if (!signals) return complain(info, signals.error(), kExitRefused);
  auto database = Database::open(config.database);
  if (!database) return complain(info, database.error(), kExitRefused);
  auto handlers = program.make(**database);
  if (!handlers) return complain(info, handlers.error(), kExitRefused);
  if (!flags.report.empty()) return tell(info, program, flags, **handlers, **database);
  Random random = Random::from_system();
  ServiceOptions options;
  options.service = service_of(program);
  options.instance = instance_name(service_of(program), random);
  options.nonce = random.bits();
  options.publisher.window = config.window;
  options.subscriber.credit = config.credit;
  auto effects = open_effects(program, **handlers);
  if (!effects) return complain(info, effects.error(), kExitRefused);
  auto node = ServiceNode::open(std::move(options), **handlers, *effects->runner, **database, log);
  if (!node) return complain(info, node.error(), kExitRefused);
  ZmqOptions sockets;
  sockets.wake_descriptor = effects->descriptor;
  auto transport = ZmqTransport::client(
      config.publish, config.subscribe, (*node)->subscriptions(), sockets, signals->get(), log);
  if (!transport) return complain(info, transport.error(), kExitRefused);
  const SystemClock clock;
  return serve(info, flags, **node, **transport, clock, log);
}

}  // namespace conga::kit
