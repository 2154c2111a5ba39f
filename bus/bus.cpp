// SPDX-License-Identifier: Apache-2.0

#include "bus/bus.h"

#include "bus/embedded.h"
#include "bus/forwarder.h"
#include "bus/sidecar/sidecar.h"
#include "common/runtime/daemon.h"

#include <algorithm>
#include <future>
#include <utility>

namespace conga::bus {
namespace {

Result<RuleSet> load_rules(const std::string& path) {
  return RuleSet::load({&path, 1});
}

/// On a thread of its own, for thousands of rules take long to read and events do not wait for
/// them; where no thread can be had, when the result is asked for.
PendingRules begin_load(const std::string& path) {
  return std::async(std::launch::async | std::launch::deferred, load_rules, path);
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

Result<std::unique_ptr<Node>> open_bus(const BusConfig& config,
                                       BusFiles files,
                                       const BusSurroundings& surroundings) {
  ForwarderOptions options = config.forwarder;
  options.boot = std::max<std::uint64_t>(1, surroundings.random.bits());
  auto forwarder = std::make_unique<Forwarder>(
      std::move(options),
      std::move(files.rules),
      [path = config.rules] { return begin_load(path); },
      surroundings.log);
  if (config.sidecar == BusConfig::Sidecar::Process) return forwarder;
  auto sidecar = open_sidecar(
      files.sidecar, surroundings.files, surroundings.now, surroundings.random, surroundings.log);
  if (!sidecar) return sidecar.failure();
  return std::make_unique<EmbeddedNode>(std::move(forwarder), std::move(*sidecar));
}

}  // namespace conga::bus
