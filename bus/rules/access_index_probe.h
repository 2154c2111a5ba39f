// SPDX-License-Identifier: Apache-2.0
//
// The part of AccessIndex that depends on the visitor: looking a value up. Included by
// access_index.h only.

#pragma once

#include "bus/rules/access_index.h"
#include "bus/rules/hash.h"

namespace conga::bus {

inline char ascii_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

inline bool ignores_case(KeyKind kind) {
  return kind == KeyKind::CaseText || kind == KeyKind::CasePrefix || kind == KeyKind::CaseSuffix;
}

inline bool is_suffix(KeyKind kind) {
  return kind == KeyKind::Suffix || kind == KeyKind::CaseSuffix;
}

/// The bytes by which the table knows a number.
inline std::array<char, 9> number_key(const Number& number) {
  std::array<char, 9> bytes{static_cast<char>(number.kind())};
  const std::uint64_t bits = number.bits();
  std::memcpy(bytes.data() + 1, &bits, sizeof(bits));
  return bytes;
}

inline std::array<char, 18> address_key(const Address& address, unsigned bits) {
  std::array<char, 18> bytes{address.v6 ? '6' : '4', static_cast<char>(bits)};
  const Address masked = address.masked(bits);
  std::memcpy(bytes.data() + 2, masked.bytes.data(), masked.bytes.size());
  return bytes;
}

template <class Visit>
void AccessIndex::probe_text(std::uint32_t field, std::string_view text, Visit& visit) const {
  const Field& keys = fields_[field];
  if (keys.has(KeyKind::Text)) {
    visit(lookup(field, KeyKind::Text, hash_text(text), text));
    if (keys.kinds == 1) return;
  }
  if (keys.has(KeyKind::Address)) probe_address(field, text, visit);
  for (const KeyKind kind : {KeyKind::CaseText,
                             KeyKind::Prefix,
                             KeyKind::Suffix,
                             KeyKind::CasePrefix,
                             KeyKind::CaseSuffix}) {
    if (keys.has(kind)) probe_affixes(field, kind, text, visit);
  }
}

template <class Visit>
void AccessIndex::probe_affixes(std::uint32_t field,
                                KeyKind kind,
                                std::string_view text,
                                Visit& visit) const {
  const bool lower = ignores_case(kind);
  const bool back = is_suffix(kind);
  RunningHash hash;
  std::size_t hashed = 0;
  for (const std::uint32_t length :
       lengths_[fields_[field].lengths].of[static_cast<std::size_t>(kind)]) {
    if (length > text.size()) return;
    for (; hashed < length; ++hashed) {
      const char letter = back ? text[text.size() - 1 - hashed] : text[hashed];
      hash.add(lower ? ascii_lower(letter) : letter);
    }
    if (kind == KeyKind::CaseText && length != text.size()) continue;
    const std::size_t begin = back ? text.size() - length : 0;
    visit(lookup(field, kind, hash.value(), text.substr(begin, length)));
  }
}

template <class Visit>
void AccessIndex::probe_address(std::uint32_t field, std::string_view text, Visit& visit) const {
  const auto address = Address::parse(text);
  if (!address) return;
  const Lengths& lengths = lengths_[fields_[field].lengths];
  for (const std::uint8_t bits : address->v6 ? lengths.masks_v6 : lengths.masks_v4) {
    const auto key = address_key(*address, bits);
    const std::string_view bytes(key.data(), key.size());
    visit(lookup(field, KeyKind::Address, hash_text(bytes), bytes));
  }
}

template <class Visit>
void AccessIndex::probe_other(std::uint32_t field, const Value& value, Visit& visit) const {
  const Field& keys = fields_[field];
  if (const auto number = Number::of(value)) {
    if (!keys.has(KeyKind::Number)) return;
    const auto key = number_key(*number);
    const std::string_view bytes(key.data(), key.size());
    visit(lookup(field, KeyKind::Number, hash_text(bytes), bytes));
    return;
  }
  if (!keys.has(KeyKind::Literal)) return;
  const auto truth = value.boolean();
  const char key = !truth ? 'n' : *truth ? 't' : 'f';
  visit(lookup(field, KeyKind::Literal, hash_text({&key, 1}), {&key, 1}));
}

}  // namespace conga::bus
