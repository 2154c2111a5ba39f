// SPDX-License-Identifier: Apache-2.0
//
// PathTrie: the dotted paths that rules name, one node per name, so that a walk over an event knows
// at each key whether any rule can be interested in what follows.

#pragma once

#include "bus/rules/hash.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

class PathTrie {
public:
  using Node = std::uint32_t;

  static constexpr Node kRoot = 0;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  /// `paths`: each once. The position of a path is its field.
  explicit PathTrie(const std::vector<std::string>& paths);

  /// The node that `key`, perhaps with dots, leads to from `node`; kNone if no path goes there.
  Node find(Node node, std::string_view key) const;

  /// The field whose path ends at `node`, or kNone.
  std::uint32_t field(Node node) const { return nodes_[node].field; }

  bool is_leaf(Node node) const { return nodes_[node].mask == 0; }

private:
  struct Slot {
    ShortText name;  ///< A longer one: its hash.
    std::uint32_t size = 0;
    Node node = kNone;  ///< kNone: empty.
    std::uint32_t text = 0;
  };

  struct Children {
    std::uint32_t slots = 0;
    std::uint32_t mask = 0;  ///< 0: no children.
    std::uint32_t field = kNone;
  };

  static ShortText words_of(std::string_view name);
  static bool has_dot(const ShortText& words, std::string_view name);

  Node child(Node node, const ShortText& words, std::string_view name) const;
  Node find_dotted(Node node, std::string_view key) const;

  std::vector<Children> nodes_;
  std::vector<Slot> slots_;
  std::string texts_;
};

inline ShortText PathTrie::words_of(std::string_view name) {
  if (name.size() > ShortText::kSize) return {.low = hash_text(name), .high = 0};
  return ShortText::of(name);
}

inline bool PathTrie::has_dot(const ShortText& words, std::string_view name) {
  if (name.size() > ShortText::kSize) return name.find('.') != std::string_view::npos;
  return has_byte(words.low, '.') || has_byte(words.high, '.');
}

inline PathTrie::Node PathTrie::child(Node node,
                                      const ShortText& words,
                                      std::string_view name) const {
  const Children& children = nodes_[node];
  if (children.mask == 0) return kNone;
  const Slot* const slots = &slots_[children.slots];
  for (std::uint32_t at = words.hash(name.size());; ++at) {
    const Slot& slot = slots[at & children.mask];
    if (slot.node == kNone) return kNone;
    if (slot.name != words || slot.size != name.size()) continue;
    if (name.size() <= ShortText::kSize) return slot.node;
    if (std::string_view(texts_).substr(slot.text, slot.size) == name) return slot.node;
  }
}

inline PathTrie::Node PathTrie::find(Node node, std::string_view key) const {
  const ShortText words = words_of(key);
  // No name in the trie has a dot, so a key with one is never found as a whole.
  const Node whole = child(node, words, key);
  return whole != kNone || !has_dot(words, key) ? whole : find_dotted(node, key);
}

}  // namespace conga::bus
