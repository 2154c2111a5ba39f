// SPDX-License-Identifier: Apache-2.0
//
// Pattern: an event pattern, checked and in the form that matchers work on. docs/patterns.md
// describes the language.
//
// The `$or` relations are gone from this form: a pattern is one or more alternatives, and an event
// matches if it satisfies every path of one of them.

#pragma once

#include "bus/rules/condition.h"
#include "common/config/document.h"
#include "common/core/result.h"
#include "common/wire/event/value.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

struct PatternLimits {
  std::size_t max_alternatives = 1000;  ///< The product of all `$or`.
  std::size_t max_depth = 1000;         ///< Of nested objects.
};

/// Of a pattern or a test's event as JSON text: as deep as event-ruler reads.
inline constexpr ValueLimits kJsonLimits{.max_size = std::size_t{1} << 24U, .max_depth = 1000};

struct PatternFault {
  std::string path;  ///< Such as `detail.fare[0].numeric`; empty: the pattern itself.
  std::size_t line = 0;
  std::size_t column = 0;  ///< 0: not known.
  std::string why;

  /// `detail.fare[0].numeric: expected …`
  std::string text() const;
};

class Pattern {
public:
  /// A dotted path and what a value there must satisfy: one of these.
  struct Field {
    std::string path;
    std::vector<Condition> any_of;
  };

  /// Positions in fields(), ascending by the paths' UTF-16 code units: the order in which array
  /// elements are chosen, and so part of the language.
  using Alternative = std::vector<std::uint32_t>;

  /// Nothing if there are faults, which are added to `faults`, all of them.
  static std::optional<Pattern> parse(const Document& document,
                                      std::vector<PatternFault>& faults,
                                      const PatternLimits& limits = {});

  /// From JSON text. Permanent, code `InvalidPattern`; the faults one per line.
  static Result<Pattern> parse_json(std::string_view json, const PatternLimits& limits = {});

  const std::vector<Field>& fields() const { return fields_; }

  const std::vector<Alternative>& alternatives() const { return alternatives_; }

private:
  Pattern(std::vector<Field> fields, std::vector<Alternative> alternatives)
      : fields_(std::move(fields)), alternatives_(std::move(alternatives)) {}

  std::vector<Field> fields_;
  std::vector<Alternative> alternatives_;
};

/// A msgpack object as a Document without positions.
Document to_document(const Value& value);

/// The order of UTF-16 code units, of which UTF-8's order differs beyond U+FFFF.
bool utf16_less(std::string_view one, std::string_view other);

}  // namespace conga::bus
