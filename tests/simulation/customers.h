// SPDX-License-Identifier: Apache-2.0
//
// Customers: the Node that puts booking requests, and what it remembers over its deaths: which
// requests there are and which the bus has answered for.

#pragma once

#include "common/client/publisher.h"
#include "common/client/session.h"
#include "common/core/ids.h"
#include "common/core/random.h"
#include "common/runtime/node.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::simulation {

/// What every flight costs a passenger, in cents.
inline constexpr std::int64_t kFare = 10'000;

/// What is to become of a request.
enum class Wish : std::uint8_t {
  Fly,      ///< Confirmed, or cancelled if the cabin is full.
  Decline,  ///< Cancelled: the card is declined.
  Silent,   ///< Expired: the acquirer never answers.
  Regret,   ///< No booking: gives that of another request back, perhaps before it is made.
  Invalid,  ///< Rejected: no such flight.
  Poison,   ///< A dead letter: nobody can read it.
};

struct Request {
  std::string booking_id;
  Wish wish = Wish::Fly;
  bool paid = false;  ///< The card is good.
  Uuid id;
  std::string event;
  SteadyTime at;  ///< When the customer comes.
  bool answered = false;
};

/// `count` requests (0: a handful) over `period` from `now`, of every kind.
std::vector<Request> make_requests(Random& random,
                                   const Time& now,
                                   Duration period,
                                   std::size_t count = 0);

class Customers final : public Node {
public:
  /// `requests` must outlive the node.
  Customers(std::string client, std::uint64_t nonce, std::vector<Request>& requests);

  void on_frame(const Time& now, Frame& frame) override;
  void on_time(const Time& now) override;
  std::optional<SteadyTime> wake_at() const override;
  Result<> commit(const Time& now, std::vector<Frame>& out) override;
  std::vector<std::string> subscriptions() const override;

private:
  std::string client_;
  std::vector<Request>& requests_;
  std::vector<bool> offered_;
  Session session_;
  Publisher publisher_;
};

}  // namespace conga::simulation
