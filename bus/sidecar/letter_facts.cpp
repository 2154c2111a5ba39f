// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/letter_facts.h"

namespace conga::bus {

void pack_time(Packer& packer, const std::optional<WallTime>& time) {
  time ? packer.string(format_rfc3339(*time)) : packer.null();
}

void pack_letter_facts(Packer& packer, const DeadLetter& letter) {
  packer.key("number").unsigned_integer(letter.number);
  packer.key("rule").string(letter.target.rule).key("target").string(letter.target.target);
  packer.key("service").string(letter.service).key("event-id").string(letter.event_id);
  packer.key("source").string(letter.source).key("detail-type").string(letter.detail_type);
  packer.key("correlation-id").string(letter.correlation_id);
  packer.key("error-code").string(letter.error_code);
  packer.key("error-message").string(letter.error_message);
  packer.key("exhausted-retry-condition").string(letter.exhausted_retry_condition);
  packer.key("retry-attempts").unsigned_integer(letter.retry_attempts);
  pack_time(packer.key("first-attempt"), letter.first_attempt);
  pack_time(packer.key("last-attempt"), letter.last_attempt);
}

}  // namespace conga::bus
