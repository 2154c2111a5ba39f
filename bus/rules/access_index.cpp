// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/access_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace conga::bus {
namespace {

/// A number's kind and bits, then text; how the builder keeps keys apart, and reads them again.
std::string number_bytes(const Number& number) {
  std::string bytes(1, static_cast<char>(number.kind()));
  const std::uint64_t bits = number.bits();
  bytes.append(reinterpret_cast<const char*>(&bits), sizeof bits);
  return bytes;
}

/// One overload per kind of condition that has a key.
struct MakeKey {
  AccessKey& key;

  bool operator()(const ExactText& one) const { return set(KeyKind::Text, one.text); }

  bool operator()(const ExactNumber& one) const {
    return set(KeyKind::Number, number_bytes(one.number));
  }

  bool operator()(const Literal& one) const {
    using Kind = Scalar::Kind;
    const Kind wanted = one.kind == Literal::Kind::Null   ? Kind::Null
                        : one.kind == Literal::Kind::True ? Kind::True
                                                          : Kind::False;
    return set(KeyKind::Literal, std::string(1, static_cast<char>(wanted)));
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
    const Address base = one.base();
    std::string bytes{base.v6 ? '6' : '4', static_cast<char>(one.bits())};
    bytes.append(base.bytes.begin(), base.bytes.end());
    return set(KeyKind::Address, bytes);
  }

  bool operator()(const Wildcard& one) const {
    if (one.parts().size() == 1) return set(KeyKind::Text, one.parts().front());
    return set(KeyKind::Wildcard, written(one));
  }

  bool operator()(const NumericRange& one) const { return set(KeyKind::Range, written(one)); }

  bool operator()(const Exists& /*one*/) const { return false; }

  bool operator()(const AnythingBut& /*one*/) const { return false; }

  template <class Kind>
  static std::string written(const Kind& one) {
    std::string bytes;
    Condition{one}.append_key(bytes);
    return bytes;
  }

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

AccessIndex::Words AccessIndex::address_words(const Address& address, unsigned bits) {
  const Address masked = address.masked(bits);
  const auto* const at = reinterpret_cast<const char*>(masked.bytes.data());
  const std::uint32_t family = address.v6 ? 256 : 0;
  return {{load_little<std::uint64_t>(at), load_little<std::uint64_t>(at + 8)}, family + bits, {}};
}

/// Of a key that the hash table holds, from the bytes of its AccessKey.
AccessIndex::Words AccessIndex::words_of(KeyKind kind, std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  if (kind == KeyKind::Literal) return {{static_cast<std::uint64_t>(bytes[0]), 0}, 0, {}};
  if (kind == KeyKind::Number) {
    const auto number_kind = static_cast<std::uint64_t>(bytes[0]);
    return {{load_little<std::uint64_t>(bytes.data() + 1), number_kind}, 0, {}};
  }
  if (kind == KeyKind::Address) {
    Address address{.bytes = {}, .v6 = bytes[0] == '6'};
    std::memcpy(address.bytes.data(), bytes.data() + 2, address.bytes.size());
    return address_words(address, static_cast<std::uint8_t>(bytes[1]));
  }
  if (kind == KeyKind::Text || bytes.size() <= ShortText::kSize) return text_words(bytes);
  RunningHash hash;
  if (is_suffix(kind)) {
    for (auto letter = bytes.rbegin(); letter != bytes.rend(); ++letter) hash.add(*letter);
  } else {
    for (const char letter : bytes) hash.add(letter);
  }
  return {{hash.value(), 0}, size, bytes};
}

bool AccessIndex::same(const Slot& slot, KeyKind kind, std::string_view text) const {
  const std::string_view known = std::string_view(bytes_).substr(slot.bytes, slot.size);
  const auto lower = [](char letter) { return ascii_lower(letter); };
  return ignores_case(kind) ? std::ranges::equal(text, known, {}, lower) : text == known;
}

std::uint32_t AccessIndex::Builder::key(std::uint32_t field,
                                        const AccessKey& name,
                                        const Condition& condition) {
  const std::uint32_t tag = tag_of(field, name.kind);
  std::string bytes(sizeof(tag), '\0');
  std::memcpy(bytes.data(), &tag, sizeof(tag));
  bytes += name.bytes;
  const auto next = static_cast<std::uint32_t>(postings_.size());
  const auto [known, is_new] = keys_.try_emplace(std::move(bytes), next);
  if (!is_new) return known->second;
  postings_.emplace_back();
  if (const auto* const range = std::get_if<NumericRange>(&condition.kind)) {
    indexed_[field].ranges.emplace_back(*range, next);
  } else if (name.kind == KeyKind::Wildcard) {
    indexed_[field].wildcards.emplace_back(std::get<Wildcard>(condition.kind), next);
  }
  return next;
}

AccessIndex::GroupRange AccessIndex::Builder::append(AccessIndex& index, Postings& postings) {
  std::ranges::sort(postings);
  // Not std::ranges::unique(), whose result clang 14 cannot compile.
  postings.erase(std::unique(postings.begin(), postings.end()), postings.end());
  GroupRange range{.begin = static_cast<std::uint32_t>(index.groups_.size()), .end = 0};
  for (const Posting& posting : postings) {
    const auto at = static_cast<std::uint32_t>(index.candidates_.size());
    if (index.groups_.size() == range.begin || index.groups_.back().guard != posting.guard) {
      index.groups_.push_back({posting.guard, at, at});
    }
    const auto wants = static_cast<std::uint32_t>(posting.wants.size());
    for (const std::uint32_t part : {posting.alternative, posting.rule, wants}) {
      index.candidates_.push_back(part);
    }
    index.candidates_.insert(index.candidates_.end(), posting.wants.begin(), posting.wants.end());
    index.groups_.back().end = static_cast<std::uint32_t>(index.candidates_.size());
  }
  range.end = static_cast<std::uint32_t>(index.groups_.size());
  return range;
}

AccessIndex::More& AccessIndex::Builder::more_of(AccessIndex& index, std::uint32_t field) {
  Field& of = index.fields_[field];
  if (of.more == kNone) {
    of.more = static_cast<std::uint32_t>(index.more_.size());
    index.more_.emplace_back();
  }
  return index.more_[of.more];
}

void AccessIndex::Builder::note_length(More& more, KeyKind kind, std::string_view bytes) {
  if (kind == KeyKind::Address) {
    const auto bits = static_cast<std::uint8_t>(bytes[1]);
    insert_sorted(bytes[0] == '6' ? more.masks_v6 : more.masks_v4, bits);
  } else {
    insert_sorted(more.lengths[static_cast<std::size_t>(kind)],
                  static_cast<std::uint32_t>(bytes.size()));
  }
}

void AccessIndex::Builder::insert(AccessIndex& index, const Slot& slot) {
  const std::size_t mask = index.slots_.size() - 1;
  std::size_t at = slot.words.hash(slot.tag + slot.size) & mask;
  while (index.slots_[at].tag != kNone) at = (at + 1) & mask;
  index.slots_[at] = slot;
}

void AccessIndex::Builder::insert_key(AccessIndex& index,
                                      std::string_view name,
                                      std::uint32_t key) {
  const auto tag = load_little<std::uint32_t>(name.data());
  const std::string_view bytes = name.substr(sizeof(tag));
  const auto kind = static_cast<KeyKind>(tag % 16);
  index.fields_[tag / 16].kinds |= 1U << static_cast<unsigned>(kind);
  if (kind >= KeyKind::Wildcard) return;
  if (kind >= KeyKind::Address) note_length(more_of(index, tag / 16), kind, bytes);
  const Words words = words_of(kind, bytes);
  insert(index,
         {.words = words.words,
          .tag = tag,
          .size = words.size,
          .bytes = static_cast<std::uint32_t>(index.bytes_.size()),
          .key = key});
  index.bytes_ += words.text;
}

AccessIndex AccessIndex::Builder::build(std::size_t fields) {
  AccessIndex index;
  index.fields_.resize(fields);
  for (Field& field : index.fields_) field.more = kNone;
  index.slots_.resize(std::bit_ceil(2 * keys_.size() + 1));
  for (const auto& [name, key] : keys_) insert_key(index, name, key);
  for (auto& [field, indexed] : indexed_) {
    More& more = more_of(index, field);
    more.wildcards = WildcardIndex(std::move(indexed.wildcards));
    more.ranges = NumberRanges(indexed.ranges);
  }
  for (Postings& postings : postings_) {
    index.by_key_.push_back(append(index, postings));
    postings = {};
  }
  index.groups_.emplace_back();  // So that every range begins at a group.
  for (auto& [field, postings] : present_) {
    index.fields_[field].present = append(index, postings);
  }
  index.always_ = append(index, always_);
  return index;
}

}  // namespace conga::bus
