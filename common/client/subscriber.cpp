// SPDX-License-Identifier: Apache-2.0

#include "common/client/subscriber.h"

#include "common/core/check.h"
#include "common/wire/topics.h"

#include <utility>

namespace conga {
namespace {

/// A settle message is closed when it is this big.
constexpr std::size_t kBatchBytes = std::size_t{256} * 1024;

/// What the bus accepts as one settlement is 64 KiB; a reason for people needs far less.
constexpr std::size_t kMaxCode = 256;
constexpr std::size_t kMaxMessage = 8192;

/// Cuts `text` to `size` bytes at the border of a UTF-8 character.
void cut(std::string& text, std::size_t size) {
  if (text.size() <= size) return;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) --size;
  text.resize(size);
}

}  // namespace

struct Subscriber::State {
  std::string ready_topic;
  std::string settle_topic;
  SubscriberOptions options;
  bool online = false;
  bool draining = false;
  std::optional<SteadyTime> heartbeat_due;  ///< Nothing: at once.
  std::string settlements;                  ///< Complete bodies' worth, not sent yet.
  std::vector<std::string> full;            ///< Bodies that are big enough, before `settlements`.
  std::uint64_t malformed = 0;

  void settle_into(std::vector<Frame>& out, std::string body) const {
    out.push_back({.channel = Channel::Bus, .topic = settle_topic, .body = std::move(body)});
  }
};

Subscriber::Subscriber(const std::string& service,
                       const std::string& instance,
                       SubscriberOptions options)
    : state_(std::make_unique<State>()) {
  CONGA_CHECK(is_valid_name(service) && is_valid_name(instance),
              "names are checked before a Subscriber gets them");
  state_->ready_topic = conga::ready_topic(service, instance);
  state_->settle_topic = conga::settle_topic(service, instance);
  state_->options = options;
}

Subscriber::~Subscriber() = default;

void Subscriber::set_online(bool online) {
  if (online && !state_->online) state_->heartbeat_due.reset();
  state_->online = online;
}

void Subscriber::drain() {
  if (!state_->draining) state_->heartbeat_due.reset();
  state_->draining = true;
}

std::vector<Delivery> Subscriber::on_deliveries(std::string_view body) {
  std::vector<Delivery> deliveries;
  // The bus has judged the event; here only this message's own form is in question.
  const ValueLimits limits{.max_size = body.size(), .max_depth = 128};
  while (!body.empty()) {
    const auto delivery = take_delivery(body, limits);
    if (!delivery) {
      ++state_->malformed;
      continue;
    }
    deliveries.push_back({.id = delivery->id,
                          .attempt = delivery->attempt,
                          .rule = std::string(delivery->rule),
                          .event = std::string(delivery->event)});
  }
  return deliveries;
}

void Subscriber::settle(Settlement settlement) {
  cut(settlement.code, kMaxCode);
  cut(settlement.message, kMaxMessage);
  append(state_->settlements, settlement);
  if (state_->settlements.size() < kBatchBytes) return;
  state_->full.push_back(std::exchange(state_->settlements, {}));
}

void Subscriber::collect(const Time& now, std::vector<Frame>& out) {
  State& state = *state_;
  for (std::string& body : state.full) state.settle_into(out, std::move(body));
  state.full.clear();
  if (!state.settlements.empty()) state.settle_into(out, std::exchange(state.settlements, {}));
  if (!state.online || (state.heartbeat_due && *state.heartbeat_due > now.steady)) return;
  state.heartbeat_due = now.steady + state.options.heartbeat;
  Frame heartbeat{.channel = Channel::Bus, .topic = state.ready_topic, .body = {}};
  append(heartbeat.body, Ready{.credit = state.draining ? 0 : state.options.credit});
  out.push_back(std::move(heartbeat));
}

std::optional<SteadyTime> Subscriber::wake_at() const {
  if (!state_->settlements.empty() || !state_->full.empty()) return SteadyTime{};
  if (!state_->online) return std::nullopt;
  return state_->heartbeat_due.value_or(SteadyTime{});
}

std::uint64_t Subscriber::malformed() const {
  return state_->malformed;
}

}  // namespace conga
