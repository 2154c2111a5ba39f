// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/wire_watch.h"

#include "bus/sidecar/link.h"

#include <utility>

namespace conga::simulation {
namespace {

/// SERVICE/INSTANCE of `prefix` + it; empty if the topic is another one.
std::string behind(std::string_view prefix, std::string_view topic) {
  return topic.starts_with(prefix) ? std::string(topic.substr(prefix.size())) : std::string();
}

}  // namespace

void WireWatch::on_sent(const Time& now, testing::ActorId by, const Frame& frame) {
  if (by != sidecar_) return;
  std::string_view body = frame.body;
  if (frame.topic.starts_with("put-result/")) {
    while (!body.empty()) {
      const auto result = take_put_result(body);
      if (result && result->ok()) acknowledged_.insert(result->event_id);
    }
  }
  if (frame.topic.starts_with("deliver/")) {
    on_deliveries(now, behind("deliver/", frame.topic), body);
  }
}

void WireWatch::on_deliveries(const Time& now, const std::string& topic, std::string_view body) {
  Instance& instance = instances_[topic];
  std::erase_if(instance.in_flight,
                [&](const auto& sent) { return now.steady - sent.second >= ack_timeout_; });
  while (!body.empty()) {
    const auto delivery = take_delivery(body);
    if (delivery) instance.in_flight.emplace(delivery->id, now.steady);
  }
  if (instance.in_flight.size() > instance.credit) {
    violations_.push_back("credit: " + topic + " has " + std::to_string(instance.in_flight.size())
                          + " deliveries in flight and a credit of "
                          + std::to_string(instance.credit));
  }
}

void WireWatch::on_given(const Time& now, testing::ActorId to, const Frame& frame) {
  if (to != sidecar_) return;
  std::string_view body = frame.body;
  if (const auto name = behind("ready/", frame.topic); !name.empty()) {
    Instance& instance = instances_[name];
    if (now.steady - instance.heard >= heartbeat_timeout_) instance.in_flight.clear();
    instance.heard = now.steady;
    if (const auto ready = take_ready(body)) instance.credit = ready->credit;
  }
  if (const auto name = behind("settle/", frame.topic); !name.empty()) {
    while (!body.empty()) {
      if (const auto settled = take_settlement(body)) instances_[name].in_flight.erase(settled->id);
    }
  }
  if (const auto name = behind(bus::kGonePrefix, frame.topic); !name.empty()) {
    instances_[name].in_flight.clear();
  }
}

void WireWatch::on_death(const Time& /*now*/, testing::ActorId of) {
  if (of == sidecar_) instances_.clear();
}

}  // namespace conga::simulation
