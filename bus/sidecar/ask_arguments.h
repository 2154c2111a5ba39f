// SPDX-License-Identifier: Apache-2.0
//
// Ask arguments: what the questions that the sidecar answers may be given, read and checked.
// answers.h says what each verb takes.

#pragma once

#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/delivery_engine.h"
#include "bus/sidecar/redrive_tasks.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace conga::bus {

/// The targets that the arguments of `target.pause` and `target.resume` mean: in the table, or
/// paused. Without a table it is too early to say.
Result<std::vector<TargetName>> read_target_names(const Value& arguments,
                                                  const DeliveryEngine& engine,
                                                  bool has_table);

/// Which dead letters the arguments mean. Refused with code `InvalidArguments`.
Result<DeadLetterFilter> read_filter(const Value& arguments);

/// As read_filter(), but something must be given: a filter, or `all`.
Result<DeadLetterFilter> read_choice(const Value& arguments);

/// As read_choice(), with `canaries` and `rate`.
Result<RedriveRequest> read_redrive(const Value& arguments);

/// The number of a redrive; 0: none is given, unless it is `required`.
Result<std::uint64_t> read_task(const Value& arguments, bool required);

struct AuditPage {
  std::uint64_t before = 0;
  std::size_t limit = 100;
};

Result<AuditPage> read_audit_page(const Value& arguments);

/// Who asks, by their own word; empty if it is not said.
std::string read_by(const Value& arguments);

}  // namespace conga::bus
