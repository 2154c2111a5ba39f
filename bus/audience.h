// SPDX-License-Identifier: Apache-2.0
//
// Audience: who is listening, as the XPUB socket reports it. A subscription is a prefix of topics,
// but a client's own topics (`deliver/…`, `answer/…`) count as heard only if subscribed to exactly:
// somebody who listens to everything does not stand in for a dead instance.

#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bus {

class Audience {
public:
  void set(std::string_view topic, bool present);

  /// Somebody subscribed to exactly `topic`.
  bool listens(std::string_view topic) const { return topics_.contains(topic); }

  /// Somebody subscribed to a prefix of `topic`, which is an `event/…` or `topic/…`.
  bool overhears(std::string_view topic) const;

  /// Somebody may overhear events at all; false makes overhears() needless.
  bool has_taps() const { return !taps_.empty(); }

  std::size_t size() const { return topics_.size(); }

private:
  std::set<std::string, std::less<>> topics_;
  std::vector<std::string> taps_;  ///< Those of topics_ that can match an event or topic.
};

}  // namespace conga::bus
