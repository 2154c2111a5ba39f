// SPDX-License-Identifier: Apache-2.0
//
// AccessIndex: from the values of an event to the keys that they satisfy, and from a key to the
// alternatives of rules that it makes possible.
//
// A condition that names what it wants (a text, a number, a prefix, an address block, a wildcard…)
// is a key, known by a small number. Texts and the like are found in one hash table, so that a
// value costs a few lookups however many rules there are; wildcards and ranges have indexes of
// their own. The alternatives behind a key are grouped by their guard, a second thing that they
// want: one that is not satisfied rules out its whole group.

#pragma once

#include "bus/rules/condition.h"
#include "bus/rules/hash.h"
#include "bus/rules/number_ranges.h"
#include "bus/rules/wildcard_index.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::bus {

enum class KeyKind : std::uint8_t {
  Text,
  Number,
  Literal,
  Address,
  CaseText,
  Prefix,
  Suffix,
  CasePrefix,
  CaseSuffix,
  Wildcard,
  Range,
};

inline constexpr std::size_t kKeyKinds = 11;

/// How the index knows a condition.
struct AccessKey {
  KeyKind kind = KeyKind::Text;
  std::string bytes;
};

/// False if `condition` is none that the index can hold.
bool access_key(const Condition& condition, AccessKey& key);

class AccessIndex {
public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// Candidates that have a guard in common, as positions for candidates().
  struct Group {
    std::uint32_t guard = kNone;  ///< The caller's; kNone: there is nothing else to be satisfied.
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  /// An alternative, and what else it wants, with all of a key's candidates side by side in memory:
  /// among many rules every other place to look is a cache miss.
  struct Candidate {
    std::uint32_t alternative = 0;
    std::uint32_t rule = 0;
    std::span<const std::uint32_t> wants;  ///< The caller's.
  };

  class Builder;

  std::size_t keys() const { return by_key_.size(); }

  /// Those to which `key` leads.
  std::span<const Group> groups(std::uint32_t key) const { return groups(by_key_[key]); }

  /// Takes the candidate at `position`, and puts `position` behind it.
  Candidate candidate(std::uint32_t& position) const {
    const std::uint32_t* const at = &candidates_[position];
    position += kHead + at[2];
    return {at[0], at[1], std::span(at + kHead, at[2])};
  }

  /// That groups(key) will be asked for soon.
  void expect(std::uint32_t key) const { __builtin_prefetch(&by_key_[key]); }

  /// That the groups themselves will be; expect() was a while ago.
  void expect_groups(std::uint32_t key) const { __builtin_prefetch(&groups_[by_key_[key].begin]); }

  /// Those that no key leads to, and that must be looked at in every event.
  std::span<const Group> always() const { return groups(always_); }

  /// Those that no key leads to, but that need a value of `field`.
  std::span<const Group> present(std::uint32_t field) const {
    return groups(fields_[field].present);
  }

  /// Calls `visit` with every key that `value` of `field` satisfies. For `first_try` see
  /// WildcardIndex.
  template <class Visit, class FirstTry>
  void probe(std::uint32_t field, const Scalar& value, Visit visit, FirstTry first_try) const {
    const Field& keys = fields_[field];
    if (keys.kinds == 0) return;
    if (!value.is_text()) return probe_other(field, value, visit);
    if (keys.has(KeyKind::Text)) lookup(field, KeyKind::Text, text_words(value.text()), visit);
    if (keys.kinds != 1) probe_text(field, value.text(), visit, first_try);
  }

private:
  static constexpr std::uint32_t kHead = 3;  ///< Alternative, rule, how many wants follow.

  struct GroupRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  /// Which keys there are of a field.
  struct Field {
    std::uint32_t kinds = 0;  ///< A bit per KeyKind.
    std::uint32_t more = 0;   ///< Position in more_, for the kinds from Address on.
    GroupRange present;

    bool has(KeyKind kind) const { return (kinds >> static_cast<unsigned>(kind) & 1U) != 0; }
  };

  /// What only some fields need.
  struct More {
    std::array<std::vector<std::uint32_t>, kKeyKinds> lengths;  ///< Ascending, each once.
    std::vector<std::uint8_t> masks_v4;                         ///< So these.
    std::vector<std::uint8_t> masks_v6;
    WildcardIndex wildcards;
    NumberRanges ranges;
  };

  /// What the hash table compares, and for a text beyond 16 bytes the text.
  struct Words {
    ShortText words;
    std::uint32_t size = 0;
    std::string_view text;  ///< Empty: the words tell all.
  };

  struct Slot {
    ShortText words;
    std::uint32_t tag = kNone;  ///< Field and kind; kNone: empty.
    std::uint32_t size = 0;
    std::uint32_t bytes = 0;
    std::uint32_t key = 0;
  };

  static std::uint32_t tag_of(std::uint32_t field, KeyKind kind) {
    return field * 16 + static_cast<std::uint32_t>(kind);
  }

  static Words text_words(std::string_view text) {
    if (text.size() <= ShortText::kSize) {
      return {ShortText::of(text), static_cast<std::uint32_t>(text.size()), {}};
    }
    return {{hash_text(text), 0}, static_cast<std::uint32_t>(text.size()), text};
  }

  static Words number_words(const Number& number) {
    return {{number.bits(), static_cast<std::uint64_t>(number.kind())}, 0, {}};
  }

  static Words address_words(const Address& address, unsigned bits);
  static Words words_of(KeyKind kind, std::string_view bytes);

  std::span<const Group> groups(const GroupRange& range) const {
    return std::span(groups_).subspan(range.begin, range.end - range.begin);
  }

  template <class Visit>
  void lookup(std::uint32_t field, KeyKind kind, const Words& words, Visit& visit) const {
    const std::uint32_t tag = tag_of(field, kind);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = words.words.hash(tag + words.size);; ++at) {
      const Slot& slot = slots_[at & mask];
      if (slot.tag == kNone) return;
      if (slot.words != words.words || slot.tag != tag || slot.size != words.size) continue;
      if (words.text.empty() || same(slot, kind, words.text)) return visit(slot.key);
    }
  }

  bool same(const Slot& slot, KeyKind kind, std::string_view text) const;

  template <class Visit, class FirstTry>
  void probe_text(std::uint32_t field,
                  std::string_view text,
                  Visit& visit,
                  FirstTry& first_try) const;
  template <class Visit>
  void probe_affixes(std::uint32_t field, KeyKind kind, std::string_view text, Visit& visit) const;
  template <class Visit>
  void probe_address(std::uint32_t field, std::string_view text, Visit& visit) const;
  template <class Visit>
  void probe_other(std::uint32_t field, const Scalar& value, Visit& visit) const;

  std::vector<Field> fields_;
  std::vector<More> more_;
  std::vector<Slot> slots_;
  std::vector<GroupRange> by_key_;
  std::vector<Group> groups_;
  std::vector<std::uint32_t> candidates_;
  std::string bytes_;
  GroupRange always_;
};

class AccessIndex::Builder {
public:
  /// The number of the key that `condition` of `field` is. `name`: its access_key().
  std::uint32_t key(std::uint32_t field, const AccessKey& name, const Condition& condition);

  /// What is to be found: `wants` apart from the guard and what leads there.
  struct Posting {
    std::uint32_t guard = kNone;
    std::uint32_t alternative = 0;
    std::uint32_t rule = 0;
    std::vector<std::uint32_t> wants;

    friend auto operator<=>(const Posting&, const Posting&) = default;
  };

  /// `posting` is to be found by `key`.
  void add(std::uint32_t key, Posting posting) { postings_[key].push_back(std::move(posting)); }

  /// `posting` is to be looked at whenever `field` has a value.
  void add_present(std::uint32_t field, Posting posting) {
    present_[field].push_back(std::move(posting));
  }

  /// `posting` is to be looked at in every event.
  void add_always(Posting posting) { always_.push_back(std::move(posting)); }

  AccessIndex build(std::size_t fields);

private:
  using Postings = std::vector<Posting>;

  /// What a field's indexes are made of.
  struct Indexed {
    std::vector<WildcardIndex::Entry> wildcards;
    std::vector<NumberRanges::Entry> ranges;
  };

  static GroupRange append(AccessIndex& index, Postings& postings);
  static void note_length(More& more, KeyKind kind, std::string_view bytes);
  static More& more_of(AccessIndex& index, std::uint32_t field);
  static void insert(AccessIndex& index, const Slot& slot);
  static void insert_key(AccessIndex& index, std::string_view name, std::uint32_t key);

  std::unordered_map<std::string, std::uint32_t> keys_;  ///< By tag (4 bytes) and key bytes.
  std::vector<Postings> postings_;                       ///< By key.
  std::unordered_map<std::uint32_t, Indexed> indexed_;   ///< By field.
  std::unordered_map<std::uint32_t, Postings> present_;  ///< By field.
  Postings always_;
};

}  // namespace conga::bus

#include "bus/rules/access_index_probe.h"
