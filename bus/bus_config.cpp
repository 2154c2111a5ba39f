// SPDX-License-Identifier: Apache-2.0

#include "bus/bus_config.h"

#include "common/runtime/daemon.h"
#include "common/wire/topics.h"

namespace conga::bus {
namespace {

using namespace std::chrono_literals;

void read_name(ConfigReader& reader, std::string& into) {
  reader.text("name", into);
  if (is_valid_name(into)) return;
  reader.fault("name", "expected 1 to 128 of the letters A-Z a-z 0-9 . _ -");
}

void read_link(ConfigReader&& reader, BusConfig& config) {
  LinkOptions& link = config.forwarder.link;
  reader.endpoint("endpoint", config.link);
  reader.bytes("window", link.window, 64ULL << 10U, 1ULL << 30U);
  reader.duration("patience", link.patience, 0s, 10s);
  reader.duration("timeout", link.timeout, 200ms, 1min);
  reader.finish();
}

void read_event_limits(ConfigReader&& reader, ForwarderOptions& forwarder) {
  reader.bytes("max-size", forwarder.event.max_size, 1ULL << 10U, 16ULL << 20U);
  reader.integer("max-depth", forwarder.event.max_depth, 2, 200);
  reader.integer("max-hops", forwarder.max_hops, 1, 10'000);
  reader.finish();
}

}  // namespace

void read_bus_config(ConfigReader& reader, BusConfig& config) {
  read_name(reader, config.forwarder.name);
  reader.endpoint("publish", config.publish);
  reader.endpoint("subscribe", config.subscribe);
  reader.require("rules");
  reader.path("rules", config.rules);
  reader.integer("rules-versions", config.rules_versions, 2, 100'000);
  reader.choice<BusConfig::Sidecar>(
      "sidecar",
      config.sidecar,
      {{"process", BusConfig::Sidecar::Process}, {"embedded", BusConfig::Sidecar::Embedded}});
  if (config.sidecar == BusConfig::Sidecar::Embedded) reader.require("sidecar-config");
  reader.path("sidecar-config", config.sidecar_config);
  reader.bytes("sidecar-hand-over-size", config.sidecar_hand_over_size, 0, 1ULL << 30U);
  reader.duration("drain-limit", config.drain_limit, 0s, 5min);
  read_link(reader.section("link"), config);
  read_event_limits(reader.section("event"), config.forwarder);
  read_log_options(reader, config.log);
  ConfigReader metrics = reader.section("metrics");
  read_metrics_options(metrics, config.metrics);
  metrics.finish();
}

}  // namespace conga::bus
