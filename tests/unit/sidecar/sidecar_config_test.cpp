// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/sidecar_config.h"

#include "common/runtime/daemon.h"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using conga::bus::SidecarConfig;

namespace {

/// The configuration in `text`, or its faults.
conga::Result<SidecarConfig> read(const std::string& text) {
  const auto document = conga::parse_yaml(text, "sidecar.yaml");
  if (!document) return document.failure();
  conga::ConfigFaults faults("sidecar.yaml");
  conga::ConfigReader reader(*document, "", faults);
  SidecarConfig config;
  conga::bus::read_sidecar_config(reader, config);
  reader.finish();
  if (!faults.empty()) return tl::unexpected<conga::Error>(faults.error());
  return config;
}

}  // namespace

TEST_CASE("a configuration that says only where the journal is has the defaults") {
  const auto config = read("journal: {directory: /data}");
  REQUIRE(config);
  CHECK(config->journal.directory == "/data");
  CHECK(config->link == "ipc://var/run/link");
  CHECK(config->sidecar.engine.heartbeat_timeout == 3s);
  CHECK(config->journal.dedup_horizon == 10min);
  CHECK(config->journal.dedup_count == 1'000'000);
}

TEST_CASE("the example configuration says what the defaults are") {
  const conga::DaemonFlags flags{
      .config = CONGA_CONFIG_DIR "/sidecar.yaml", .sets = {}, .ready_file = {}};
  SidecarConfig config;
  const auto loaded = load_config(
      flags, [&](conga::ConfigReader& reader) { conga::bus::read_sidecar_config(reader, config); });
  if (!loaded) FAIL(loaded.error().what);
  const auto defaults = read("journal: {directory: /data}");
  REQUIRE(defaults);
  CHECK(config.link == defaults->link);
  CHECK(config.journal.segment_size == defaults->journal.segment_size);
  CHECK(config.journal.retention_age == defaults->journal.retention_age);
  CHECK(config.journal.retention_bytes == defaults->journal.retention_bytes);
  CHECK(config.sidecar.dedup.window == defaults->sidecar.dedup.window);
  CHECK(config.sidecar.dedup.least == defaults->sidecar.dedup.least);
  CHECK(config.sidecar.dedup.most == defaults->sidecar.dedup.most);
  CHECK(config.sidecar.frame_size == defaults->sidecar.frame_size);
  CHECK(config.sidecar.turn_size == defaults->sidecar.turn_size);
  CHECK(config.sidecar.cache_size == defaults->sidecar.cache_size);
  CHECK(config.sidecar.limits.max_size == defaults->sidecar.limits.max_size);
  CHECK(config.sidecar.limits.max_depth == defaults->sidecar.limits.max_depth);
  CHECK(config.drain_limit == defaults->drain_limit);
}

TEST_CASE("every fault is told at once, with its place") {
  const auto config = read(
      "link: nowhere\n"
      "journal: {segment-size: 1KiB}\n"
      "delivery:\n"
      "  heartbeat-timeout: 1s\n"
      "  heartbeet: 3s\n");
  REQUIRE_FALSE(config);
  const std::string& what = config.error().what;
  CHECK(config.error().code == "InvalidConfig");
  CHECK(what.find("sidecar.yaml:1:7: ") != std::string::npos);
  CHECK(what.find("journal.directory") != std::string::npos);
  CHECK(what.find("journal.segment-size") != std::string::npos);
  CHECK(what.find("sidecar.yaml:4:22: ") != std::string::npos);
  CHECK(what.find("heartbeet") != std::string::npos);
}
