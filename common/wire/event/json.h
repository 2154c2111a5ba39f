// SPDX-License-Identifier: Apache-2.0
//
// JSON, the form of events for people (CLI, files, logs), to and from msgpack, exactly: integers
// of 64 bits stay integers, a number with a fraction or exponent stays a double, repeated keys and
// their order are kept. Integers beyond 64 bits become doubles; NaN and infinities, which JSON
// cannot say, are written as null.

#pragma once

#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <string>
#include <string_view>

namespace conga {

/// One JSON value, nothing after it but white space. Refused (Permanent) as Value::parse() is,
/// and the message names line and column.
Result<std::string> json_to_msgpack(std::string_view json, const ValueLimits& limits = {});

/// On one line, no spaces: fit for JSON lines.
std::string to_json(const Value& value);

/// Over several lines, two spaces of indentation, for people.
std::string to_pretty_json(const Value& value);

}  // namespace conga
