// SPDX-License-Identifier: Apache-2.0
//
// PathTrie: the dotted paths that rules name, one node per name, so that a walk over an event knows
// at each key whether any rule can be interested in what follows.

#pragma once

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
    std::uint32_t hash = 0;
    Node node = kNone;  ///< kNone: empty.
    std::uint32_t text = 0;
    std::uint32_t size = 0;
  };

  struct Children {
    std::uint32_t slots = 0;
    std::uint32_t mask = 0;  ///< 0: no children.
    std::uint32_t field = kNone;
  };

  Node child(Node node, std::string_view name) const;

  std::vector<Children> nodes_;
  std::vector<Slot> slots_;
  std::string texts_;
};

}  // namespace conga::bus
