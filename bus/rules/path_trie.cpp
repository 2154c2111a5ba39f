// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/path_trie.h"

#include "bus/rules/hash.h"

#include <bit>
#include <cstring>
#include <map>

namespace conga::bus {
namespace {

struct Growing {
  std::map<std::string, PathTrie::Node, std::less<>> children;
  std::uint32_t field = PathTrie::kNone;
};

std::vector<Growing> grow(const std::vector<std::string>& paths) {
  std::vector<Growing> nodes(1);
  for (std::uint32_t field = 0; field < paths.size(); ++field) {
    PathTrie::Node node = PathTrie::kRoot;
    std::string_view rest = paths[field];
    for (std::size_t dot = 0; dot != std::string_view::npos; rest.remove_prefix(dot + 1)) {
      dot = rest.find('.');
      const auto fresh = static_cast<PathTrie::Node>(nodes.size());
      const auto [child, added] = nodes[node].children.emplace(rest.substr(0, dot), fresh);
      node = child->second;
      if (added) nodes.emplace_back();
      if (dot == std::string_view::npos) break;
    }
    nodes[node].field = field;
  }
  return nodes;
}

std::uint32_t hash_of(std::string_view name) {
  return static_cast<std::uint32_t>(hash_text(name));
}

}  // namespace

PathTrie::PathTrie(const std::vector<std::string>& paths) {
  for (const Growing& growing : grow(paths)) {
    Children& node = nodes_.emplace_back();
    node.field = growing.field;
    node.slots = static_cast<std::uint32_t>(slots_.size());
    if (growing.children.empty()) continue;
    const auto size = static_cast<std::uint32_t>(std::bit_ceil(2 * growing.children.size()));
    node.mask = size - 1;
    slots_.resize(slots_.size() + size);
    for (const auto& [name, child] : growing.children) {
      const std::uint32_t hash = hash_of(name);
      std::uint32_t at = hash & node.mask;
      while (slots_[node.slots + at].node != kNone) at = (at + 1) & node.mask;
      slots_[node.slots + at] = {.hash = hash,
                                 .node = child,
                                 .text = static_cast<std::uint32_t>(texts_.size()),
                                 .size = static_cast<std::uint32_t>(name.size())};
      texts_ += name;
    }
  }
}

PathTrie::Node PathTrie::child(Node node, std::string_view name) const {
  const Children& children = nodes_[node];
  if (children.mask == 0) return kNone;
  const std::uint32_t hash = hash_of(name);
  for (std::uint32_t at = hash & children.mask;; at = (at + 1) & children.mask) {
    const Slot& slot = slots_[children.slots + at];
    if (slot.node == kNone) return kNone;
    if (slot.hash != hash || slot.size != name.size()) continue;
    if (std::memcmp(texts_.data() + slot.text, name.data(), name.size()) == 0) return slot.node;
  }
}

PathTrie::Node PathTrie::find(Node node, std::string_view key) const {
  // No name in the trie has a dot, so a key with one is never found as a whole.
  const Node whole = child(node, key);
  if (whole != kNone || std::memchr(key.data(), '.', key.size()) == nullptr) return whole;
  for (std::size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    node = child(node, key.substr(0, dot));
    if (node == kNone) return kNone;
    key.remove_prefix(dot + 1);
  }
  return child(node, key);
}

}  // namespace conga::bus
