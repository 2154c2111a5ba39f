// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/sidecar_config.h"

#include "common/runtime/daemon.h"

#include <algorithm>

namespace conga::bus {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kKiB = std::uint64_t{1} << 10U;
constexpr std::uint64_t kMiB = kKiB << 10U;
constexpr std::uint64_t kGiB = kMiB << 10U;

/// Segments are made of whole blocks.
void read_segment_size(ConfigReader& reader, std::uint64_t least, std::uint32_t& size) {
  constexpr std::uint32_t kBlock = 4096;
  reader.bytes("segment-size", size, least, kGiB);
  size -= size % kBlock;
}

void read_archives(ConfigReader reader, SidecarConfig& config) {
  read_segment_size(reader, kMiB, config.archive_segment_size);
  reader.finish();
}

void read_journal(ConfigReader reader, FileJournalOptions& journal) {
  reader.require("directory");
  reader.path("directory", journal.directory);
  read_segment_size(reader, 4 * kMiB, journal.segment_size);
  reader.duration("retention-age", journal.retention_age, 1min, 24h * 3650);
  reader.bytes("retention-size", journal.retention_bytes, 16 * kMiB, kMiB * kGiB);
  reader.bytes("hand-over-size", journal.hand_over_size, 0, kGiB);
  reader.boolean("accept-damage", journal.accept_damage);
  reader.finish();
  journal.hold_back = std::min<std::uint64_t>(journal.hold_back, journal.segment_size / 4);
}

void read_dedup(ConfigReader reader, RecentIdsOptions& dedup) {
  reader.duration("window", dedup.window, 10s, 24h);
  reader.integer("least", dedup.least, 1000, 100'000'000);
  reader.integer("most", dedup.most, 1000, 500'000'000);
  reader.finish();
  dedup.most = std::max(dedup.most, dedup.least);
}

void read_delivery(ConfigReader reader, SidecarOptions& sidecar) {
  reader.duration("heartbeat-timeout", sidecar.engine.heartbeat_timeout, 1500ms, 5min);
  reader.bytes("frame-size", sidecar.frame_size, kKiB, 8 * kMiB);
  reader.bytes("turn-size", sidecar.turn_size, 64 * kKiB, 256 * kMiB);
  reader.bytes("catch-up-size", sidecar.catch_up_size, kKiB, 8 * kMiB);
  reader.bytes("cache-size", sidecar.cache_size, 0, 16 * kGiB);
  reader.finish();
}

void read_event_limits(ConfigReader reader, ValueLimits& limits) {
  reader.bytes("max-size", limits.max_size, kKiB, 16 * kMiB);
  reader.integer("max-depth", limits.max_depth, 2, 200);
  reader.finish();
}

void read_metrics(ConfigReader reader, SidecarConfig& config) {
  read_metrics_options(reader, config.metrics);
  reader.text("bus", config.sidecar.bus);
  reader.finish();
}

}  // namespace

void read_sidecar_config(ConfigReader& reader, SidecarConfig& config) {
  reader.endpoint("link", config.link);
  read_journal(reader.section("journal"), config.journal);
  read_archives(reader.section("archives"), config);
  read_dedup(reader.section("dedup"), config.sidecar.dedup);
  read_delivery(reader.section("delivery"), config.sidecar);
  read_event_limits(reader.section("event"), config.sidecar.limits);
  reader.integer("max-expectations", config.sidecar.most_expectations, 1, 100'000'000);
  reader.boolean("announce-dead-letters", config.sidecar.announce_dead_letters);
  reader.duration("drain-limit", config.drain_limit, 0s, 5min);
  read_log_options(reader, config.log);
  read_metrics(reader.section("metrics"), config);
  config.journal.dedup_horizon = config.sidecar.dedup.window;
  config.journal.dedup_count = config.sidecar.dedup.least;
  config.sidecar.drain_patience = std::min(config.sidecar.drain_patience, config.drain_limit);
}

}  // namespace conga::bus
