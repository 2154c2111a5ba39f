// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/relay.h"

#include "common/wire/topics.h"

#include <algorithm>
#include <utility>

namespace conga::cli {
namespace {

/// What a bus let in may be larger than this program's default limits.
constexpr ValueLimits kWideLimits{.max_size = std::size_t{1} << 30U, .max_depth = 256};

/// To the other side.
Frame passed_on(Frame& frame) {
  frame.channel = frame.channel == Channel::Bus ? Channel::Link : Channel::Bus;
  return std::move(frame);
}

}  // namespace

ChaosRelay::ChaosRelay(RelayOptions options, Told told, Warned warned)
    : options_(std::move(options)),
      mischief_(options_.mischief),
      told_(std::move(told)),
      warned_(std::move(warned)) {}

void ChaosRelay::on_frame(const Time& now, Frame& frame) {
  const auto topic = parse_topic(frame.topic);
  const bool concerned = topic && mischief_.concerns(topic->first);
  if (frame.channel == Channel::Link) {
    const bool delivers = concerned && topic->kind == TopicKind::Deliver;
    if (delivers && deliver(now, topic->first, frame)) return;
  } else {
    if (frame.topic == bus::kTableTopic) hasten(frame);
    const bool settles = concerned && topic->kind == TopicKind::Settle;
    if (settles && !settle(frame)) return;
  }
  out_.push_back(passed_on(frame));
}

/// False, and nothing is done, if the frame makes no sense: the service shall see it as it is.
bool ChaosRelay::deliver(const Time& now, std::string_view service, const Frame& frame) {
  std::vector<DeliveryView> deliveries;
  std::string_view body = frame.body;
  while (!body.empty()) {
    auto delivery = take_delivery(body, kWideLimits);
    if (!delivery || !read_event(delivery->event, kWideLimits)) return false;
    deliveries.push_back(*delivery);
  }
  for (const DeliveryView& each : deliveries) deliver(now, service, frame.topic, each);
  return true;
}

void ChaosRelay::deliver(const Time& now,
                         std::string_view service,
                         const std::string& topic,
                         const DeliveryView& delivery) {
  const auto event = read_event(delivery.event, kWideLimits);
  const Plan plan = mischief_.plan(service, delivery, *event);
  ++counters_.deliveries;
  if (plan.hold > Duration(0)) ++counters_.held;
  if (plan.copy) ++counters_.duplicated;
  std::string body;
  append(body, delivery);
  hold(now.steady + plan.hold, topic, body);
  if (plan.copy) hold(now.steady + *plan.copy, topic, body);
  if (plan.copy || plan.drop_ack) {
    open_[delivery.id] = {.copies = plan.copy ? 2U : 1U, .drop_ack = plan.drop_ack};
  }
  if (plan == Plan{}) return;
  told_({.event = event->id,
         .source = std::string(event->source),
         .detail_type = std::string(event->detail_type),
         .correlation_id = std::string(event->correlation_id),
         .service = std::string(service),
         .attempt = delivery.attempt,
         .plan = plan});
}

void ChaosRelay::hold(SteadyTime until, const std::string& topic, const std::string& body) {
  held_.emplace(until, Held{.topic = topic, .body = body});
}

/// Leaves in the frame the settlements that may pass; false if there are none.
bool ChaosRelay::settle(Frame& frame) {
  std::string passing;
  std::string_view body = frame.body;
  while (!body.empty()) {
    const auto settlement = take_settlement(body);
    // What comes behind nonsense cannot be told apart; the sidecar refuses it as it would have.
    if (!settlement) return true;
    if (passes(*settlement)) append(passing, *settlement);
  }
  frame.body = std::move(passing);
  return !frame.body.empty();
}

/// The last copy's settlement stands for all.
bool ChaosRelay::passes(const Settlement& settlement) {
  const auto open = open_.find(settlement.id);
  if (open == open_.end()) return true;
  if (--open->second.copies > 0) return false;
  const bool dropped = open->second.drop_ack && settlement.outcome == Settlement::Outcome::Ok;
  open_.erase(open);
  if (dropped) ++counters_.acks_dropped;
  return !dropped;
}

/// Shortens the ack-timeouts in the bus's table of targets: one may be 20 minutes, and a dropped
/// `ok` would stop the flow for so long.
void ChaosRelay::hasten(Frame& frame) {
  auto table = bus::read_table(frame.body);
  if (!table) return;
  check_targets(*table);
  if (options_.mischief.drop_acks <= 0) return;
  for (bus::LinkTarget& target : table->targets) {
    if (!mischief_.concerns(target.service)) continue;
    target.retry.ack_timeout = std::min(target.retry.ack_timeout, options_.ack_timeout);
  }
  frame.body = encode(*table);
}

void ChaosRelay::check_targets(const bus::LinkTable& table) {
  if (std::exchange(checked_, table.generation) == table.generation) return;
  for (const std::string& name : options_.mischief.targets) {
    if (std::ranges::find(table.targets, name, &bus::LinkTarget::service) == table.targets.end()) {
      warned_("no rule delivers to a service '" + name + "': nothing will be done to it");
    }
  }
}

std::optional<SteadyTime> ChaosRelay::wake_at() const {
  if (held_.empty()) return std::nullopt;
  return held_.begin()->first;
}

Result<> ChaosRelay::commit(const Time& now, std::vector<Frame>& out) {
  for (Frame& frame : out_) out.push_back(std::move(frame));
  out_.clear();
  const auto end = draining_ ? held_.end() : held_.upper_bound(now.steady);
  for (auto each = held_.begin(); each != end; ++each) {
    Held& held = each->second;
    out.push_back(
        {.channel = Channel::Bus, .topic = std::move(held.topic), .body = std::move(held.body)});
  }
  held_.erase(held_.begin(), end);
  return {};
}

}  // namespace conga::cli
