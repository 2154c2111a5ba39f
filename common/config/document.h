// SPDX-License-Identifier: Apache-2.0
//
// Document: a YAML text as a tree that knows where each part of it stands, so that every fault in
// a configuration or rule can be told as file:line:column. Readers of it know nothing of yaml-cpp.

#pragma once

#include "common/core/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga {

/// One node. Plain scalars have the type that YAML 1.2's core schema gives them; quoted ones are
/// strings. Integers beyond 64 bits are doubles, as in JSON; `text` still has every digit.
struct Document {
  enum class Kind : std::uint8_t { Null, Boolean, Integer, Unsigned, Double, String, Array, Map };

  struct Member;

  Kind kind = Kind::Null;
  bool boolean = false;
  std::int64_t integer = 0;            ///< Kind::Integer.
  std::uint64_t unsigned_integer = 0;  ///< Kind::Unsigned: above the range of int64 only.
  double number = 0;                   ///< Kind::Double.
  std::string text;                    ///< Scalars: as written (a string: unescaped).
  std::vector<Document> elements;      ///< Kind::Array.
  std::vector<Member> members;         ///< Kind::Map, in order, repeated keys kept.
  std::size_t line = 1;                ///< 0: it was given on the command line.
  std::size_t column = 1;              ///< In bytes.

  /// The last member called `key`, or null.
  const Document* find(std::string_view key) const;

  /// "a map", "the text 'x'", "the number 5": what a fault says was found.
  std::string describe() const;
};

struct Document::Member {
  std::string key;
  std::size_t line = 1;
  std::size_t column = 1;
  Document value;
};

/// The one document that `text` holds (JSON is YAML; an empty text is null). Refused (Permanent,
/// code `InvalidYaml`) as `file:line:column: what is wrong`. An alias stands for a copy of what its
/// anchor names; tags and merge keys (`<<`) are refused.
Result<Document> parse_yaml(std::string_view text, const std::string& file);

/// The type and value of a plain scalar by YAML 1.2's core schema.
Document plain_scalar(std::string_view text);

}  // namespace conga
