// SPDX-License-Identifier: Apache-2.0

#include "bus/bus.h"

#include "bus/embedded.h"
#include "bus/file_rules.h"
#include "bus/forwarder.h"
#include "bus/sidecar/sidecar.h"
#include "common/runtime/daemon.h"
#include "common/runtime/node_thread.h"

#include <algorithm>
#include <utility>

namespace conga::bus {
namespace {

Result<std::unique_ptr<Node>> open_embedded(const BusConfig& config,
                                            const SidecarConfig& sidecar,
                                            const BusSurroundings& surroundings) {
  SidecarSurroundings& own = *surroundings.sidecar;
  auto node =
      open_sidecar(sidecar, surroundings.files, surroundings.clock.now(), own.random, own.log);
  if (!node) return node.failure();
  NodeThreadOptions options;
  options.hand_over_size = config.sidecar_hand_over_size;
  options.wake_descriptor = own.disk.committer->descriptor();
  auto thread = NodeThread::start(std::move(*node), surroundings.clock, own.news, options);
  if (!thread) return thread.failure();
  return std::unique_ptr<Node>(std::move(*thread));
}

}  // namespace

Result<BusFiles> load_files(const BusConfig& config) {
  BusFiles files;
  std::string faults;
  if (config.sidecar == BusConfig::Sidecar::Embedded) {
    DaemonFlags flags;
    flags.config = config.sidecar_config;
    const auto read = load_config(
        flags, [&files](ConfigReader& reader) { read_sidecar_config(reader, files.sidecar); });
    if (!read) faults = read.error().what + "\n";
  }
  auto rules = load_rules(config.rules);
  if (!rules) faults += rules.error().what;
  if (!faults.empty()) return fail(Fault::Permanent, std::move(faults), "InvalidConfig");
  files.rules = std::move(*rules);
  return files;
}

Result<SidecarSurroundings> surround_sidecar(SidecarConfig& config,
                                             Random& random,
                                             const Log& log) {
  auto news = Wakeup::open();
  if (!news) return news.failure();
  auto disk = start_threads(config);
  if (!disk) return disk.failure();
  return SidecarSurroundings{.news = std::move(*news),
                             .disk = std::move(*disk),
                             .random = Random(random.bits()),
                             .log = log.channel("sidecar")};
}

Result<std::unique_ptr<Node>> open_bus(const BusConfig& config,
                                       BusFiles files,
                                       const BusSurroundings& surroundings) {
  ForwarderOptions options = config.forwarder;
  options.boot = std::max<std::uint64_t>(1, surroundings.random.bits());
  auto forwarder = std::make_unique<Forwarder>(
      std::move(options),
      std::move(files.rules),
      std::make_unique<FileRules>(surroundings.files, config.rules, config.rules_versions),
      surroundings.log);
  if (config.sidecar == BusConfig::Sidecar::Process) return forwarder;
  auto sidecar = open_embedded(config, files.sidecar, surroundings);
  if (!sidecar) return sidecar.failure();
  return std::make_unique<EmbeddedNode>(std::move(forwarder), std::move(*sidecar));
}

}  // namespace conga::bus
