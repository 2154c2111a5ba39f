// SPDX-License-Identifier: Apache-2.0
//
// Outbox: what one turn sends, gathered into as few frames as the size of a frame allows.

#pragma once

#include "common/runtime/node.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace conga::bus {

class Outbox {
public:
  /// A frame is closed once its body is this big.
  explicit Outbox(std::size_t frame_size) : frame_size_(frame_size) {}

  /// Where to append one more object for `topic`. Valid until the next call.
  std::string& body_for(const std::string& topic) {
    // Most of what a turn sends goes where the last one went.
    if (latest_ == nullptr || latest_->first != topic) latest_ = &open_for(topic);
    std::string& body = latest_->second;
    if (body.size() >= frame_size_) close(topic, body);
    return body;
  }

  /// As body_for(), for a delivery of a target that wants at most `most` in one message.
  std::string& body_for_delivery(const std::string& topic, std::size_t most) {
    std::size_t& held = deliveries_[topic];
    std::string& body = body_for(topic);
    if (body.empty()) held = 0;
    if (held >= most) {
      close(topic, body);
      held = 0;
    }
    ++held;
    return body;
  }

  /// Moves all of it to the end of `out`.
  void collect(std::vector<Frame>& out) {
    for (Frame& frame : closed_) {
      expected_ = std::max(expected_, frame.body.size());
      out.push_back(std::move(frame));
    }
    closed_.clear();
    for (auto& [topic, body] : open_) {
      expected_ = std::max(expected_, body.size());
      if (!body.empty()) out.push_back({Channel::Link, topic, std::move(body)});
    }
    open_.clear();
    latest_ = nullptr;
    deliveries_.clear();
  }

private:
  using Bodies = std::unordered_map<std::string, std::string>;

  /// A turn's first body may hold as much as one of the turn before did: it need not grow there
  /// step by step. The others do, for there may be thousands of them.
  Bodies::value_type& open_for(const std::string& topic) {
    const auto [body, is_new] = open_.try_emplace(topic);
    if (is_new) body->second.reserve(std::exchange(expected_, 0));
    return *body;
  }

  /// The one after it is for the same topic, and will hold about as much.
  void close(const std::string& topic, std::string& body) {
    std::string next;
    next.reserve(body.size());
    closed_.push_back({Channel::Link, topic, std::exchange(body, std::move(next))});
  }

  std::size_t frame_size_;
  std::size_t expected_ = 0;
  std::vector<Frame> closed_;
  Bodies open_;
  Bodies::value_type* latest_ = nullptr;  ///< In `open_`.
  std::unordered_map<std::string, std::size_t>
      deliveries_;  ///< Of such targets, in the open frame.
};

}  // namespace conga::bus
