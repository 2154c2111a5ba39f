// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/path_trie.h"

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
      const ShortText words = words_of(name);
      std::uint32_t at = words.hash(name.size()) & node.mask;
      while (slots_[node.slots + at].node != kNone) at = (at + 1) & node.mask;
      slots_[node.slots + at] = {.name = words,
                                 .size = static_cast<std::uint32_t>(name.size()),
                                 .node = child,
                                 .text = static_cast<std::uint32_t>(texts_.size())};
      texts_ += name;
    }
  }
}

PathTrie::Node PathTrie::find_dotted(Node node, std::string_view key) const {
  std::size_t dot = 0;
  for (; dot != std::string_view::npos && node != kNone; key.remove_prefix(dot + 1)) {
    dot = key.find('.');
    const std::string_view name = key.substr(0, dot);
    node = child(node, words_of(name), name);
    if (dot == std::string_view::npos) break;
  }
  return node;
}

}  // namespace conga::bus
