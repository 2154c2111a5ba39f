// SPDX-License-Identifier: Apache-2.0
//
// conga-sidecar: makes events durable and delivers them.

#include "bus/sidecar/sidecar.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/io/posix_files.h"
#include "common/runtime/daemon.h"
#include "common/runtime/signals.h"
#include "common/runtime/zmq/zmq_transport.h"

#include <memory>

namespace {

const conga::DaemonInfo kInfo{
    .name = "conga-sidecar",
    .description =
        "Makes the events that conga-bus routes durable, delivers them, retries, and "
        "keeps what was given up as dead letters.",
    .config = "",
    .examples =
        "  conga-sidecar --config config/sidecar.yaml\n"
        "  conga-sidecar --config config/sidecar.yaml --check\n"
        "  conga-sidecar --config config/sidecar.yaml --set journal.retention-size=32GiB\n"};

}  // namespace

int main(int argc, char** argv) {
  using namespace conga;
  DaemonFlags flags;
  if (const auto code = parse_flags(kInfo, argc, argv, flags)) return *code;
  bus::SidecarConfig config;
  const auto read = load_config(
      flags, [&config](ConfigReader& reader) { bus::read_sidecar_config(reader, config); });
  if (!read) return complain(kInfo, read.error(), kExitUsage);
  if (flags.check) return kExitDone;

  Log log("sidecar", config.log);
  const auto signals = Signals::open();
  if (!signals) return complain(kInfo, signals.error(), kExitRefused);
  const SystemClock clock;
  if (!config.metrics.listen.empty()) {
    config.sidecar.stopwatch = [&clock] { return clock.now().steady; };
  }
  PosixFiles files;
  Random random = Random::from_system();
  const auto threads = bus::start_threads(config);
  if (!threads) return complain(kInfo, threads.error(), kExitRefused);
  const auto node = bus::open_sidecar(config, files, clock.now(), random, log);
  if (!node) return complain(kInfo, node.error(), kExitRefused);
  ZmqOptions sockets;
  sockets.wake_descriptor = threads->committer->descriptor();
  const auto transport = ZmqTransport::sidecar(config.link, sockets, signals->get(), log);
  if (!transport) return complain(kInfo, transport.error(), kExitRefused);
  const auto metrics = MetricsEndpoint::open(config.metrics, **node);
  if (!metrics) return complain(kInfo, metrics.error(), kExitRefused);
  const RunOptions options{.drain_limit = config.drain_limit,
                           .after_turn = [&](const Time& now) { metrics->after_turn(now); }};
  return serve(kInfo, flags, **node, **transport, clock, log, options);
}
