// SPDX-License-Identifier: Apache-2.0

#include "bus/bus_config.h"

#include "common/config/config_reader.h"
#include "common/wire/topics.h"

namespace conga::bus {
namespace {

using namespace std::chrono_literals;

void read_name(ConfigReader& reader,
               const Document& root,
               ConfigFaults& faults,
               std::string& into) {
  reader.text("name", into);
  if (is_valid_name(into)) return;
  const Document* const name = root.find("name");
  faults.add(name != nullptr ? *name : root,
             "name: expected 1 to 128 of the letters A-Z a-z 0-9 . _ -");
}

void read_link(ConfigReader reader, BusConfig& config) {
  LinkOptions& link = config.forwarder.link;
  reader.endpoint("endpoint", config.link);
  std::uint64_t window = link.window;
  reader.bytes("window", window, 64ULL << 10U, 1ULL << 30U);
  link.window = window;
  reader.duration("patience", link.patience, 0s, 10s);
  reader.duration("timeout", link.timeout, 200ms, 1min);
  reader.finish();
}

void read_event_limits(ConfigReader reader, ForwarderOptions& forwarder) {
  std::uint64_t max_size = forwarder.event.max_size;
  reader.bytes("max-size", max_size, 1ULL << 10U, 16ULL << 20U);
  forwarder.event.max_size = max_size;
  reader.integer("max-depth", forwarder.event.max_depth, 2, 200);
  reader.integer("max-hops", forwarder.max_hops, 1, 10'000);
  reader.finish();
}

void read_log(ConfigReader reader, LogOptions& log) {
  reader.choice<LogLevel>("level",
                          log.level,
                          {{"debug", LogLevel::Debug},
                           {"info", LogLevel::Info},
                           {"warning", LogLevel::Warning},
                           {"error", LogLevel::Error}});
  reader.choice<LogOptions::Format>(
      "format",
      log.format,
      {{"text", LogOptions::Format::Text}, {"json", LogOptions::Format::Json}});
  reader.finish();
}

}  // namespace

Result<BusConfig> read_bus_config(const Document& root, const std::string& file) {
  BusConfig config;
  ConfigFaults faults(file);
  ConfigReader reader(root, "", faults);
  read_name(reader, root, faults, config.forwarder.name);
  reader.endpoint("publish", config.publish);
  reader.endpoint("subscribe", config.subscribe);
  reader.require("rules");
  reader.path("rules", config.rules);
  reader.choice<BusConfig::Sidecar>(
      "sidecar",
      config.sidecar,
      {{"process", BusConfig::Sidecar::Process}, {"embedded", BusConfig::Sidecar::Embedded}});
  if (config.sidecar == BusConfig::Sidecar::Embedded) reader.require("sidecar-config");
  reader.path("sidecar-config", config.sidecar_config);
  reader.duration("drain-limit", config.drain_limit, 0s, 5min);
  read_link(reader.section("link"), config);
  read_event_limits(reader.section("event"), config.forwarder);
  read_log(reader.section("log"), config.log);
  reader.finish();
  if (!faults.empty()) return Result<BusConfig>(tl::unexpect, faults.error());
  return config;
}

}  // namespace conga::bus
