// SPDX-License-Identifier: Apache-2.0
//
// What Forwarder tells people about itself: the answers to `bus.status` and `rules.list`.

#include "bus/forwarder.h"
#include "common/core/version.h"
#include "common/wire/event/packer.h"

#include <array>

namespace conga::bus {
namespace {

struct Count {
  std::string_view name;
  std::uint64_t value;
};

template <std::size_t N>
void pack_counts(Packer& packer, std::string_view name, const std::array<Count, N>& counts) {
  packer.key(name).map(N);
  for (const Count& count : counts) packer.key(count.name).unsigned_integer(count.value);
}

void pack_text_or_null(Packer& packer, std::string_view text) {
  text.empty() ? packer.null() : packer.string(text);
}

}  // namespace

std::string Forwarder::status(const Time& now) const {
  std::string result;
  Packer packer(result);
  const WallTime started = started_.value_or(now.wall);
  packer.map(11);
  packer.key("bus").string(options_.name);
  packer.key("version").string(kVersion);
  packer.key("boot").unsigned_integer(options_.boot);
  packer.key("started").string(format_rfc3339(started));
  packer.key("state").string(draining_ ? "draining" : "running");
  packer.key("rules").map(4);
  packer.key("count").unsigned_integer(rules_.rules().size());
  packer.key("generation").unsigned_integer(generation_);
  packer.key("loaded").string(format_rfc3339(loaded_));
  packer.key("fault");
  pack_text_or_null(packer, rules_fault_);
  const ForwarderCounters& counted = counters_;
  pack_counts(packer,
              "events",
              std::array<Count, 9>{{{"accepted", counted.accepted},
                                    {"refused", counted.refused},
                                    {"unavailable", counted.unavailable},
                                    {"unmatched", counted.unmatched},
                                    {"topic-only", counted.topic_only},
                                    {"loops", counted.loops},
                                    {"tapped", counted.tapped},
                                    {"published", counted.published},
                                    {"unheard", counted.unheard}}});
  packer.key("link").map(6);
  packer.key("state").string(name_of(link_.state()));
  packer.key("sidecar-boot").unsigned_integer(link_.sidecar_boot());
  packer.key("window-bytes").unsigned_integer(link_.in_window());
  packer.key("window-limit").unsigned_integer(options_.link.window);
  packer.key("batches").unsigned_integer(link_.sent());
  packer.key("resets").unsigned_integer(link_.resets());
  pack_counts(
      packer,
      "clients",
      std::array<Count, 2>{{{"greeted", clients_.size()}, {"subscriptions", audience_.size()}}});
  pack_counts(packer,
              "frames",
              std::array<Count, 5>{{{"malformed", counted.malformed},
                                    {"unannounced-ready", counted.unannounced},
                                    {"unreachable", counted.unreachable},
                                    {"asks", counted.asks},
                                    {"relayed", counted.relayed}}});
  const TransportStats transport = options_.transport ? options_.transport() : TransportStats{};
  pack_counts(
      packer,
      "transport",
      std::array<Count, 2>{{{"dropped", transport.dropped}, {"malformed", transport.malformed}}});
  return result;
}

std::string Forwarder::list_rules() const {
  std::string result;
  Packer(result)
      .map(4)
      .key("generation")
      .unsigned_integer(generation_)
      .key("rules")
      .raw(rules_.listing(matches_))
      .key("expectations")
      .raw(rules_.expectation_listing())
      .key("archives")
      .raw(rules_.archive_listing());
  return result;
}

}  // namespace conga::bus
