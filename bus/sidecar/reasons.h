// SPDX-License-Identifier: Apache-2.0
//
// Reasons: why deliveries failed last, each text kept once. A million deliveries that fail for one
// reason cost one string, and the memory for texts is bounded whatever services write into them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace conga::bus {

struct Reason {
  std::string code;
  std::string message;
};

class Reasons {
public:
  using Id = std::uint32_t;

  /// The empty reason of a delivery that has not failed; needs no release.
  static constexpr Id kNone = 0;

  /// Above it a new reason keeps its code, and a note in place of its message.
  static constexpr std::size_t kMaxReasons = 65'536;
  static constexpr std::size_t kMaxMessage = 1024;  ///< Bytes; what is longer is cut.
  static constexpr std::size_t kMaxCode = 128;

  Reasons();

  /// Counts one use of the reason.
  Id keep(std::string_view code, std::string_view message);
  void release(Id id);

  const Reason& at(Id id) const { return entries_[id].reason; }

  std::size_t size() const { return ids_.size(); }

private:
  struct Entry {
    Reason reason;
    std::uint64_t uses = 0;
  };

  std::vector<Entry> entries_;
  std::vector<Id> free_;
  std::unordered_map<std::string, Id> ids_;  ///< By code, a line break, message.
};

/// `text` cut to `size` bytes, at the border of a character.
std::string_view cut_text(std::string_view text, std::size_t size);

}  // namespace conga::bus
