// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/access_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace conga::bus {
namespace {

/// One overload per kind of condition that has a key.
struct MakeKey {
  AccessKey& key;

  bool operator()(const ExactText& one) const { return set(KeyKind::Text, one.text); }

  bool operator()(const ExactNumber& one) const {
    const auto bytes = number_key(one.number);
    return set(KeyKind::Number, {bytes.data(), bytes.size()});
  }

  bool operator()(const Literal& one) const {
    constexpr std::string_view kLetters = "ntf";
    return set(KeyKind::Literal, kLetters.substr(static_cast<std::size_t>(one.kind), 1));
  }

  bool operator()(const Prefix& one) const { return set(KeyKind::Prefix, one.text); }

  bool operator()(const Suffix& one) const { return set(KeyKind::Suffix, one.text); }

  bool operator()(const IgnoreCase& one) const {
    // Beyond ASCII a character's forms may differ in length, and not fold to one.
    if (!one.text.ascii()) return false;
    using Part = IgnoreCase::Part;
    const KeyKind kind = one.part == Part::Whole    ? KeyKind::CaseText
                         : one.part == Part::Prefix ? KeyKind::CasePrefix
                                                    : KeyKind::CaseSuffix;
    return set(kind, one.text.text());
  }

  bool operator()(const Cidr& one) const {
    const auto bytes = address_key(one.base(), one.bits());
    return set(KeyKind::Address, {bytes.data(), bytes.size()});
  }

  bool operator()(const Wildcard& one) const {
    return one.parts().size() == 1 && set(KeyKind::Text, one.parts().front());
  }

  bool operator()(const NumericRange& /*one*/) const { return false; }

  bool operator()(const Exists& /*one*/) const { return false; }

  bool operator()(const AnythingBut& /*one*/) const { return false; }

  bool set(KeyKind kind, std::string_view bytes) const {
    key.kind = kind;
    key.bytes = bytes;
    return true;
  }
};

template <class Number>
void insert_sorted(std::vector<Number>& numbers, Number number) {
  const auto at = std::ranges::lower_bound(numbers, number);
  if (at == numbers.end() || *at != number) numbers.insert(at, number);
}

}  // namespace

bool access_key(const Condition& condition, AccessKey& key) {
  return std::visit(MakeKey{key}, condition.kind);
}

std::uint64_t AccessIndex::hash_bytes(KeyKind kind, std::string_view bytes) {
  if (kind < KeyKind::CaseText) return hash_text(bytes);
  RunningHash hash;
  if (is_suffix(kind)) {
    for (auto letter = bytes.rbegin(); letter != bytes.rend(); ++letter) hash.add(*letter);
  } else {
    for (const char letter : bytes) hash.add(letter);
  }
  return hash.value();
}

std::uint64_t AccessIndex::slot_hash(std::uint32_t tag, std::uint64_t hash) {
  return mix(hash ^ std::uint64_t{tag} << 32U);
}

bool AccessIndex::same(const Slot& slot, KeyKind kind, std::string_view bytes) const {
  if (slot.size != bytes.size()) return false;
  const std::string_view known = std::string_view(bytes_).substr(slot.bytes, slot.size);
  return ignores_case(kind) ? std::ranges::equal(bytes, known, {}, ascii_lower) : bytes == known;
}

std::span<const AccessIndex::Group> AccessIndex::lookup(std::uint32_t field,
                                                        KeyKind kind,
                                                        std::uint64_t hash,
                                                        std::string_view bytes) const {
  const std::uint32_t tag = tag_of(field, kind);
  const std::uint64_t wanted = slot_hash(tag, hash);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = wanted & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.tag == kNone) return {};
    if (slot.hash == wanted && slot.tag == tag && same(slot, kind, bytes)) {
      return groups(slot.groups);
    }
  }
}

void AccessIndex::Builder::add(std::uint32_t field,
                               const AccessKey& key,
                               std::uint32_t guard,
                               std::uint32_t alternative) {
  const std::uint32_t tag = tag_of(field, key.kind);
  std::string bytes(sizeof(tag), '\0');
  std::memcpy(bytes.data(), &tag, sizeof(tag));
  bytes += key.bytes;
  keyed_[std::move(bytes)].emplace_back(guard, alternative);
}

void AccessIndex::Builder::add_present(std::uint32_t field,
                                       std::uint32_t guard,
                                       std::uint32_t alternative) {
  present_[field].emplace_back(guard, alternative);
}

void AccessIndex::Builder::add_always(std::uint32_t guard, std::uint32_t alternative) {
  always_.emplace_back(guard, alternative);
}

AccessIndex::GroupRange AccessIndex::Builder::append(AccessIndex& index, Postings& postings) {
  std::ranges::sort(postings);
  // Not std::ranges::unique(), whose result clang 14 cannot compile.
  postings.erase(std::unique(postings.begin(), postings.end()), postings.end());
  GroupRange range{.begin = static_cast<std::uint32_t>(index.groups_.size()), .end = 0};
  for (const auto& [guard, alternative] : postings) {
    const auto at = static_cast<std::uint32_t>(index.alternatives_.size());
    if (index.groups_.size() == range.begin || index.groups_.back().guard != guard) {
      index.groups_.push_back({guard, at, at});
    }
    index.alternatives_.push_back(alternative);
    ++index.groups_.back().end;
  }
  range.end = static_cast<std::uint32_t>(index.groups_.size());
  return range;
}

void AccessIndex::Builder::note_length(AccessIndex& index,
                                       Field& field,
                                       KeyKind kind,
                                       std::string_view bytes) {
  field.kinds |= 1U << static_cast<unsigned>(kind);
  if (kind < KeyKind::Address) return;
  if (field.lengths == kNone) {
    field.lengths = static_cast<std::uint32_t>(index.lengths_.size());
    index.lengths_.emplace_back();
  }
  Lengths& lengths = index.lengths_[field.lengths];
  if (kind == KeyKind::Address) {
    const auto bits = static_cast<std::uint8_t>(bytes[1]);
    insert_sorted(bytes[0] == '6' ? lengths.masks_v6 : lengths.masks_v4, bits);
  } else {
    insert_sorted(lengths.of[static_cast<std::size_t>(kind)],
                  static_cast<std::uint32_t>(bytes.size()));
  }
}

void AccessIndex::Builder::insert(AccessIndex& index, const Slot& slot) {
  const std::size_t mask = index.slots_.size() - 1;
  std::size_t at = slot.hash & mask;
  while (index.slots_[at].tag != kNone) at = (at + 1) & mask;
  index.slots_[at] = slot;
}

AccessIndex AccessIndex::Builder::build(std::size_t fields) {
  AccessIndex index;
  index.fields_.resize(fields);
  for (Field& field : index.fields_) field.lengths = kNone;
  index.slots_.resize(std::bit_ceil(2 * keyed_.size() + 1));
  for (auto& [key, postings] : keyed_) {
    std::uint32_t tag = 0;
    std::memcpy(&tag, key.data(), sizeof(tag));
    const std::string_view bytes = std::string_view(key).substr(sizeof(tag));
    const auto kind = static_cast<KeyKind>(tag % 16);
    note_length(index, index.fields_[tag / 16], kind, bytes);
    insert(index,
           {.hash = slot_hash(tag, hash_bytes(kind, bytes)),
            .tag = tag,
            .bytes = static_cast<std::uint32_t>(index.bytes_.size()),
            .size = static_cast<std::uint32_t>(bytes.size()),
            .groups = append(index, postings)});
    index.bytes_ += bytes;
  }
  for (auto& [field, postings] : present_) {
    index.fields_[field].present = append(index, postings);
  }
  index.always_ = append(index, always_);
  return index;
}

}  // namespace conga::bus
