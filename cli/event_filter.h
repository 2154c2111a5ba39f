// SPDX-License-Identifier: Apache-2.0
//
// EventFilter: which events a person wants to see, said as an event pattern.

#pragma once

#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <functional>
#include <string>
#include <string_view>

namespace conga::cli {

/// Whether an event is wanted. It is given the whole event.
using EventFilter = std::function<bool(const Value& event)>;

/// From a pattern in JSON, or `@file` with one. Refused (Permanent) with all that is wrong with it.
Result<EventFilter> filter_of_pattern(const std::string& pattern);

/// `text` itself, or for `@file` what the file holds. `name` is what the fault calls it.
Result<std::string> text_or_file(const std::string& text, std::string_view name);

}  // namespace conga::cli
