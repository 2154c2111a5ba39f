// SPDX-License-Identifier: Apache-2.0
//
// Dispatch: the messages of one event on their way through an effect, and the Report of what became
// of each, in the contract's codec. A report need not be whole: what is still `sending` is tried
// again by the next delivery, and only that.

#pragma once

#include "services/contract/describe.h"

#include <string>
#include <string_view>
#include <vector>

namespace conga::notification {

inline constexpr std::string_view kEmail = "email";
inline constexpr std::string_view kSms = "sms";

// The outcome of a message, as the table `notifications` has it.
inline constexpr std::string_view kSending = "sending";  ///< Whether it went out is not known.
inline constexpr std::string_view kSent = "sent";
inline constexpr std::string_view kFailed = "failed";

/// One message of an effect.
struct Item {
  std::string channel;
  std::string to;
  std::string content;
  bool again = false;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("channel", self.channel);
    visit("to", self.to);
    visit("content", self.content);
    visit("again", self.again);
  }
};

/// An effect's payload.
struct Dispatch {
  std::vector<Item> items;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("items", self.items);
  }
};

/// What became of one message.
struct Outcome {
  std::string channel;
  std::string outcome;  ///< kSending: to be tried again.
  std::string reason;
  std::string code;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("channel", self.channel);
    visit("outcome", self.outcome);
    visit("reason", self.reason);
    visit("code", self.code);
  }
};

/// An effect's answer.
struct Report {
  std::vector<Outcome> outcomes;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("outcomes", self.outcomes);
  }
};

}  // namespace conga::notification
