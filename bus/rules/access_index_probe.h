// SPDX-License-Identifier: Apache-2.0
//
// The part of AccessIndex that depends on the visitor: looking a value up. Included by
// access_index.h only.

#pragma once

#include "bus/rules/access_index.h"

namespace conga::bus {

inline bool ignores_case(KeyKind kind) {
  return kind == KeyKind::CaseText || kind == KeyKind::CasePrefix || kind == KeyKind::CaseSuffix;
}

inline bool is_suffix(KeyKind kind) {
  return kind == KeyKind::Suffix || kind == KeyKind::CaseSuffix;
}

template <class Visit, class FirstTry>
void AccessIndex::probe_text(std::uint32_t field,
                             std::string_view text,
                             Visit& visit,
                             FirstTry& first_try) const {
  const Field& keys = fields_[field];
  if (keys.has(KeyKind::Wildcard)) more_[keys.more].wildcards.find(text, visit, first_try);
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
       more_[fields_[field].more].lengths[static_cast<std::size_t>(kind)]) {
    if (length > text.size()) return;
    if (kind == KeyKind::CaseText && length != text.size()) continue;
    const std::string_view part = text.substr(back ? text.size() - length : 0, length);
    Words words{ShortText{}, length, {}};
    if (length <= ShortText::kSize) {
      words.words = ShortText::of(part);
      if (lower) words.words = {ascii_lower(words.words.low), ascii_lower(words.words.high)};
    } else {
      for (; hashed < length; ++hashed) {
        const char letter = back ? text[text.size() - 1 - hashed] : text[hashed];
        hash.add(lower ? ascii_lower(letter) : letter);
      }
      words.words.low = hash.value();
      words.text = part;
    }
    lookup(field, kind, words, visit);
  }
}

template <class Visit>
void AccessIndex::probe_address(std::uint32_t field, std::string_view text, Visit& visit) const {
  const auto address = Address::parse(text);
  if (!address) return;
  const More& more = more_[fields_[field].more];
  for (const std::uint8_t bits : address->v6 ? more.masks_v6 : more.masks_v4) {
    lookup(field, KeyKind::Address, address_words(*address, bits), visit);
  }
}

template <class Visit>
void AccessIndex::probe_other(std::uint32_t field, const Scalar& value, Visit& visit) const {
  const Field& keys = fields_[field];
  if (!value.is_number()) {
    if (!keys.has(KeyKind::Literal)) return;
    return lookup(
        field, KeyKind::Literal, {{static_cast<std::uint64_t>(value.kind()), 0}, 0, {}}, visit);
  }
  const Number& number = value.number();
  if (keys.has(KeyKind::Number)) lookup(field, KeyKind::Number, number_words(number), visit);
  if (keys.has(KeyKind::Range)) more_[keys.more].ranges.find(number, visit);
}

}  // namespace conga::bus
