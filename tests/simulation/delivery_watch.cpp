// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/delivery_watch.h"

#include "bus/sidecar/link.h"
#include "common/wire/event/event.h"
#include "common/wire/messages.h"
#include "tests/simulation/sidecar_host.h"

#include <algorithm>

namespace conga::simulation {
namespace {

using namespace std::chrono_literals;

/// The shortest that a plan may ask for: what was sent longer ago may have timed out.
constexpr Duration kShortestAck = 300ms;

std::string behind(std::string_view prefix, std::string_view topic) {
  return topic.starts_with(prefix) ? std::string(topic.substr(prefix.size())) : std::string();
}

struct AckTimeouts {
  Duration shortest;
  Duration longest;
};

/// Of the sets of rules that have the target, if it is ordered under all of them. Which set was at
/// work for a delivery is not known here.
std::optional<AckTimeouts> order_of(const std::vector<PlannedRules>& sets,
                                    std::string_view rule_name,
                                    std::string_view service) {
  std::optional<AckTimeouts> found;
  for (const PlannedRules& rules : sets) {
    for (const PlannedRule& rule : rules) {
      if (rule.name != rule_name) continue;
      for (const PlannedTarget& target : rule.targets) {
        if (target.service != service) continue;
        if (!target.ordered) return std::nullopt;
        const Duration timeout = target.ack_timeout;
        if (!found) found = {timeout, timeout};
        found = {std::min(found->shortest, timeout), std::max(found->longest, timeout)};
      }
    }
  }
  return found;
}

}  // namespace

DeliveryWatch::DeliveryWatch(const std::vector<PlannedEvent>& events,
                             const std::vector<PlannedRules>& rules)
    : events_(events), rules_(rules), wire_(kShortestAck, kHeartbeatTimeout) {}

void DeliveryWatch::set_sidecar(testing::ActorId sidecar) {
  sidecar_ = sidecar;
  wire_.set_sidecar(sidecar);
}

void DeliveryWatch::on_sent(const Time& now, testing::ActorId by, const Frame& frame) {
  wire_.on_sent(now, by, frame);
  if (by != sidecar_) return;
  const std::string to = behind("deliver/", frame.topic);
  if (to.empty()) return;
  std::string_view body = frame.body;
  while (!body.empty()) {
    if (const auto delivery = take_delivery(body)) on_delivery(now, to, *delivery);
  }
}

void DeliveryWatch::on_delivery(const Time& now,
                                const std::string& to,
                                const DeliveryView& delivery) {
  const std::string service = to.substr(0, to.find('/'));
  const std::string rule(delivery.rule);
  const auto event = read_event(delivery.event);
  const std::string id = event ? event->id.text() : std::string();
  const auto planned = std::ranges::find_if(
      events_, [&id](const PlannedEvent& each) { return each.id.text() == id; });
  if (planned == events_.end()) {
    violations_.push_back("delivered to " + to + " and put by nobody");
    return;
  }
  const bool fresh = sent_.try_emplace(delivery.id, id, bus::TargetName{rule, service}).second;
  if (!fresh) violations_.push_back("an attempt was sent twice: event " + id + " to " + to);
  const bool owed = std::ranges::any_of(rules_, [&](const PlannedRules& rules) {
    return targets_of(rules, planned->type).contains({rule, service});
  });
  if (!owed) violations_.push_back("event " + id + " is not owed to " + rule + "/" + service);
  const auto timeouts = order_of(rules_, rule, service);
  if (!timeouts) return;
  Sent& sent = under_way_[{.rule = rule, .service = service, .key = planned->key}];
  if (is_busy(now, sent, sent.ack_shortest) && sent.event_id != id) {
    violations_.push_back("two of " + planned->key + " under way for " + rule + "/" + service);
  }
  sent = {.id = delivery.id,
          .event_id = id,
          .instance = to,
          .at = now.steady,
          .ack_shortest = timeouts->shortest,
          .ack_longest = timeouts->longest};
}

/// Not timed out, and not with an instance that was silent for too long: the sidecar waits for it.
bool DeliveryWatch::is_busy(const Time& now, const Sent& sent, Duration ack_timeout) const {
  if (sent.event_id.empty() || now.steady - sent.at >= ack_timeout) return false;
  const auto heard = heard_.find(sent.instance);
  return heard != heard_.end() && now.steady - heard->second < kHeartbeatTimeout;
}

void DeliveryWatch::on_given(const Time& now, testing::ActorId to, const Frame& frame) {
  wire_.on_given(now, to, frame);
  if (to != sidecar_) return;
  if (const auto name = behind("ready/", frame.topic); !name.empty()) hear(now, name);
  if (const auto gone = behind(bus::kGonePrefix, frame.topic); !gone.empty()) end_of_instance(gone);
  if (behind("settle/", frame.topic).empty()) return;
  std::string_view body = frame.body;
  while (!body.empty()) {
    if (const auto settled = take_settlement(body))
      on_settlement(now, *settled);
    else
      return;
  }
}

/// One that was silent for too long has lost what it had, even if it is heard of again.
void DeliveryWatch::hear(const Time& now, const std::string& instance) {
  const auto heard = heard_.try_emplace(instance, now.steady).first;
  if (now.steady - heard->second >= kHeartbeatTimeout) end_of_instance(instance);
  heard->second = now.steady;
}

void DeliveryWatch::on_settlement(const Time& now, const Settlement& settlement) {
  const auto sent = sent_.find(settlement.id);
  const bool ok = settlement.outcome == Settlement::Outcome::Ok;
  if (ok && sent != sent_.end()) said_ok_.insert(sent->second);
  const auto same = [&](const auto& each) { return each.second.id == settlement.id; };
  const auto found = std::ranges::find_if(under_way_, same);
  if (found == under_way_.end()) return;
  std::vector<std::string>& done = settled_[found->first];
  const std::string& id = found->second.event_id;
  // Where it is not known whether the sidecar still waited, it did: the next one of the lane is
  // sent after this one ended, in either case.
  const bool counts = settlement.outcome == Settlement::Outcome::Ok
                      && is_busy(now, found->second, found->second.ack_longest);
  if (counts && std::ranges::find(done, id) == done.end()) done.push_back(id);
  under_way_.erase(found);
}

void DeliveryWatch::end_of_instance(const std::string& instance) {
  std::erase_if(under_way_, [&](const auto& lane) { return lane.second.instance == instance; });
}

void DeliveryWatch::on_death(const Time& now, testing::ActorId of) {
  wire_.on_death(now, of);
  if (of == sidecar_) under_way_.clear();
}

std::vector<std::string> DeliveryWatch::violations() const {
  std::vector<std::string> all = wire_.violations();
  all.insert(all.end(), violations_.begin(), violations_.end());
  return all;
}

}  // namespace conga::simulation
