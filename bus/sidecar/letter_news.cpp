// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/letter_news.h"

#include "bus/sidecar/letter_facts.h"
#include "bus/sidecar/link.h"
#include "common/wire/event/packer.h"

#include <string>

namespace conga::bus {
namespace {

constexpr std::size_t kLettersPerTurn = 100;

std::string detail_of(const DeadLetter& letter) {
  std::string detail;
  Packer packer(detail);
  pack_letter_facts(packer.map(kLetterFacts), letter);
  return detail;
}

/// A loop's event is over max-hops already, by one; its announcement must not be.
std::uint32_t hops_of(const DeadLetter& letter) {
  const auto event = read_event(letter.event);
  const std::uint32_t hops = event ? event->hops : 0;
  return letter.error_code == "LoopDetected" && hops > 0 ? hops - 1 : hops;
}

}  // namespace

Event announcement_of(const DeadLetter& letter) {
  const std::string at = format_rfc3339(letter.at);
  const auto cause = Uuid::parse(letter.event_id);
  Event event;
  event.id = Uuid::v5(cause.value_or(Uuid{}),
                      "EventDeadLettered/" + std::to_string(letter.number) + "/" + at);
  event.source = std::string(kOwnSourcePrefix) + "dlq";
  event.detail_type = "EventDeadLettered";
  event.time = letter.at;
  event.detail = detail_of(letter);
  event.correlation_id = letter.correlation_id;
  event.causation_id = cause;
  event.hops = hops_of(letter);
  return event;
}

bool LetterNews::is_news(std::string_view source) {
  return !source.starts_with(kOwnSourcePrefix);
}

Result<> LetterNews::step() {
  if (!wants_step()) return {};
  DeadLetterFilter filter;
  filter.unannounced = true;
  filter.after = offered_;
  filter.limit = kLettersPerTurn;
  const auto letters = letters_.list(filter);
  if (!letters) return letters.failure();
  for (const DeadLetter& letter : *letters) {
    if (!events_.has_room()) return {};
    offered_ = letter.number;
    events_.offer(announcement_of(letter),
                  [this, number = letter.number] { return letters_.mark_announced(number); });
  }
  look_ = letters->size() == kLettersPerTurn;
  return {};
}

}  // namespace conga::bus
