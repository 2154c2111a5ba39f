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

void pack_targets(Packer& packer, const RoutingRule& rule) {
  packer.key("targets").array(rule.services.size() + rule.topics.size());
  for (const LinkTarget& target : rule.services) {
    const RetryPolicy& retry = target.retry;
    packer.map(4);
    packer.key("target").string(target.target);
    packer.key("service").string(target.service);
    packer.key("ordering");
    pack_text_or_null(packer, target.ordering);
    packer.key("retry").map(7);
    packer.key("max-attempts").unsigned_integer(retry.max_attempts);
    packer.key("max-age").string(format_duration(retry.max_age));
    packer.key("backoff-initial").string(format_duration(retry.backoff_initial));
    packer.key("backoff-factor").number(retry.backoff_factor);
    packer.key("backoff-max").string(format_duration(retry.backoff_max));
    packer.key("jitter").string(retry.jitter == RetryPolicy::Jitter::Full ? "full" : "none");
    packer.key("ack-timeout").string(format_duration(retry.ack_timeout));
  }
  for (const std::string& topic : rule.topics) packer.map(1).key("topic").string(topic);
}

}  // namespace

std::string Forwarder::status(const Time& now) const {
  std::string result;
  Packer packer(result);
  const WallTime started = started_.value_or(now.wall);
  packer.map(10);
  packer.key("bus").string(options_.name);
  packer.key("version").string(kVersion);
  packer.key("boot").unsigned_integer(options_.boot);
  packer.key("started").string(format_rfc3339(started));
  packer.key("state").string(draining_ ? "draining" : "running");
  packer.key("rules").map(4);
  packer.key("count").unsigned_integer(table_.rules().size());
  packer.key("generation").unsigned_integer(table_.generation());
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
              std::array<Count, 4>{{{"malformed", counted.malformed},
                                    {"unannounced-ready", counted.unannounced},
                                    {"asks", counted.asks},
                                    {"relayed", counted.relayed}}});
  return result;
}

std::string Forwarder::list_rules() const {
  std::string result;
  Packer packer(result);
  packer.map(2);
  packer.key("generation").unsigned_integer(table_.generation());
  packer.key("rules").array(table_.rules().size());
  for (std::size_t at = 0; at < table_.rules().size(); ++at) {
    const RoutingRule& rule = table_.rules()[at];
    packer.map(5);
    packer.key("name").string(rule.name);
    packer.key("description");
    pack_text_or_null(packer, rule.description);
    packer.key("matches").unsigned_integer(table_.matches()[at]);
    packer.key("pattern");
    rule.pattern.empty() ? packer.null() : packer.raw(rule.pattern);
    pack_targets(packer, rule);
  }
  return result;
}

}  // namespace conga::bus
