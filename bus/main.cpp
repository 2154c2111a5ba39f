// SPDX-License-Identifier: Apache-2.0
//
// conga-bus: routes events to those whom the rules name.

#include "bus/bus.h"
#include "bus/bus_config.h"
#include "bus/sidecar/sidecar.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/io/posix_files.h"
#include "common/runtime/daemon.h"
#include "common/runtime/signals.h"
#include "common/runtime/zmq/zmq_transport.h"

#include <optional>
#include <utility>

namespace conga {
namespace {

const DaemonInfo kInfo{
    .name = "conga-bus",
    .description =
        "Matches the events that are published against the rules and routes them: to "
        "services through the sidecar, to topics at once.",
    .config = "",
    .examples =
        "  conga-bus --config config/bus.yaml\n"
        "  conga-bus --config config/bus.yaml --check\n"
        "  conga-bus --config config/bus.yaml --set publish=tcp://127.0.0.1:9001\n"};

int start(int argc, char** argv) {
  DaemonFlags flags;
  if (const auto code = parse_flags(kInfo, argc, argv, flags)) return *code;
  bus::BusConfig config;
  const auto read =
      load_config(flags, [&config](ConfigReader& reader) { bus::read_bus_config(reader, config); });
  if (!read) return complain(kInfo, read.error(), kExitUsage);
  auto named = bus::load_files(config);
  if (!named) return complain(kInfo, named.error(), kExitUsage);
  if (flags.check) return kExitDone;

  Log log("bus", config.log);
  const auto signals = Signals::open();
  if (!signals) return complain(kInfo, signals.error(), kExitRefused);
  const bool embedded = config.sidecar == bus::BusConfig::Sidecar::Embedded;
  const std::string link = embedded ? "" : config.link;
  Random random = Random::from_system();
  std::optional<bus::SidecarSurroundings> sidecar;
  ZmqOptions sockets;
  if (embedded) {
    auto made = bus::surround_sidecar(named->sidecar, random, log);
    if (!made) return complain(kInfo, made.error(), kExitRefused);
    sidecar.emplace(std::move(*made));
    sockets.wake_descriptor = sidecar->news.descriptor();
  }
  const auto transport =
      ZmqTransport::forwarder(config.publish, config.subscribe, link, sockets, signals->get(), log);
  if (!transport) return complain(kInfo, transport.error(), kExitRefused);
  const SystemClock clock;
  PosixFiles files;
  config.forwarder.transport = [&transport] { return (*transport)->stats(); };
  named->sidecar.sidecar.bus = config.forwarder.name;
  if (!config.metrics.listen.empty()) {
    named->sidecar.sidecar.stopwatch = [&clock] { return clock.now().steady; };
  }
  const auto node = bus::open_bus(
      config, std::move(*named), {clock, files, random, log, sidecar ? &*sidecar : nullptr});
  if (!node) return complain(kInfo, node.error(), kExitRefused);
  const auto metrics = MetricsEndpoint::open(config.metrics, **node);
  if (!metrics) return complain(kInfo, metrics.error(), kExitRefused);
  const RunOptions options{.drain_limit = config.drain_limit,
                           .after_turn = [&](const Time& now) { metrics->after_turn(now); }};
  return serve(kInfo, flags, **node, **transport, clock, log, options);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
