// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/mischief.h"

#include "bus/rules/hash.h"
#include "common/core/random.h"

namespace conga::cli {
namespace {

void add(bus::RunningHash& hash, std::string_view text) {
  for (const char letter : text) hash.add(letter);
  hash.add('\0');
}

std::uint64_t hash_of(std::string_view service,
                      const DeliveryView& delivery,
                      const EventView& event) {
  bus::RunningHash hash;
  add(hash, service);
  add(hash, delivery.rule);
  add(hash, event.source);
  add(hash, event.detail_type);
  add(hash, event.correlation_id);
  add(hash, std::to_string(delivery.attempt));
  return hash.value();
}

Duration part_of(Duration whole, double share) {
  return Duration(static_cast<Duration::rep>(static_cast<double>(whole.count()) * share));
}

}  // namespace

bool Mischief::concerns(std::string_view service) const {
  return options_.targets.empty() || options_.targets.contains(std::string(service));
}

Plan Mischief::plan(std::string_view service,
                    const DeliveryView& delivery,
                    const EventView& event) {
  const std::uint64_t alike = hash_of(service, delivery, event);
  const std::uint64_t turn = seen_[alike]++;
  Random random(options_.seed ^ bus::mix(alike + turn));
  // All is drawn, always and in this order: switching one fault on leaves the others as they were.
  const bool twice = random.chance(options_.duplicate);
  const double copy_held = random.unit();
  const bool ack_lost = random.chance(options_.drop_acks);
  const double swapped = random.unit();
  const double delayed = random.unit();
  const Duration window = options_.reorder ? kReorderWindow : Duration(0);
  Plan plan;
  plan.hold = part_of(window, swapped) + part_of(options_.delay, delayed);
  if (twice) plan.copy = plan.hold + part_of(window + options_.delay, copy_held);
  plan.drop_ack = ack_lost && delivery.attempt == 1;
  return plan;
}

}  // namespace conga::cli
