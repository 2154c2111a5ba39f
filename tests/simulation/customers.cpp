// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/customers.h"

#include "common/wire/event/event.h"
#include "common/wire/event/packer.h"
#include "common/wire/topics.h"
#include "services/contract/events.h"

#include <algorithm>
#include <array>
#include <utility>

namespace conga::simulation {
namespace {

constexpr std::size_t kFewest = 5;
constexpr std::size_t kMore = 5;

/// So many of a run's requests are for the small jet, which has two seats: somebody stays behind.
constexpr double kSmallJet = 4;

std::string card_for(Random& random, Wish wish) {
  if (wish == Wish::Decline) return random.chance(0.5) ? "4000000000000002" : "4000000000000408";
  if (wish == Wish::Silent) return "4000000000000259";
  if (random.chance(0.2)) return random.chance(0.5) ? "4000000000000119" : "4000000000000135";
  return "4242424242424242";
}

Wish make_wish(Random& random) {
  const double chance = random.unit();
  if (chance < 0.6) return Wish::Fly;
  if (chance < 0.7) return Wish::Decline;
  if (chance < 0.77) return Wish::Silent;
  if (chance < 0.87) return Wish::Regret;
  return chance < 0.94 ? Wish::Invalid : Wish::Poison;
}

std::string poison() {
  std::string detail;
  Packer(detail).map(1).key("trip").string("around the world");
  return detail;
}

contract::SeatPreferences any_wishes(Random& random) {
  constexpr std::array<const char*, 4> kPositions{"", "window", "aisle", "middle"};
  constexpr std::array<const char*, 3> kZones{"", "front", "rear"};
  return {.position = kPositions[random.below(kPositions.size())],
          .zone = kZones[random.below(kZones.size())],
          .extra_legroom = random.chance(0.2)};
}

contract::BookingRequested request_of(Random& random, const Request& request, double small_jet) {
  const bool small = random.chance(small_jet);
  contract::Trip trip{.booking_id = request.booking_id,
                      .flight = small ? "LX41" : "LH123",
                      .cabin = small ? "business" : "economy",
                      .passengers = {},
                      .email = "someone@example.org",
                      .fare = {.amount = 0, .currency = "EUR"}};
  trip.preferences = any_wishes(random);
  if (small) trip.phone = "+4915112345678";
  if (request.wish == Wish::Invalid) trip.flight = "XX1";
  const auto passengers = 1 + random.below(2);
  for (std::uint64_t each = 0; each < passengers; ++each) {
    trip.passengers.push_back({.name = "Passenger " + std::to_string(each)});
    trip.fare.amount += kFare;
  }
  return {.trip = std::move(trip), .card = card_for(random, request.wish)};
}

/// `small`: how likely it is for the small jet.
void describe(Random& random, const Request& request, double small, Event& event) {
  if (request.wish == Wish::Regret) {
    event.detail_type = contract::CancellationRequested::kType;
    event.detail =
        contract::to_detail(contract::CancellationRequested{.booking_id = request.booking_id});
    return;
  }
  event.detail_type = contract::BookingRequested::kType;
  event.detail = request.wish == Wish::Poison
                     ? poison()
                     : contract::to_detail(request_of(random, request, small));
}

std::vector<std::string> topics_of(const std::string& client) {
  return {put_result_topic(client), answer_topic(client)};
}

}  // namespace

std::vector<Request> make_requests(Random& random,
                                   const Time& now,
                                   Duration period,
                                   std::size_t count) {
  UuidFactory ids(random);
  std::vector<Request> requests(count != 0 ? count : kFewest + random.below(kMore + 1));
  for (std::size_t each = 0; each < requests.size(); ++each) {
    Request& request = requests[each];
    request.booking_id = "B" + std::to_string(each);
    request.wish = make_wish(random);
    if (each == 0 && request.wish == Wish::Regret) request.wish = Wish::Fly;
    if (request.wish == Wish::Regret) request.booking_id = "B" + std::to_string(random.below(each));
    request.paid = request.wish == Wish::Fly;
    request.at = now.steady + Duration(random.below(static_cast<std::uint64_t>(period.count())));
    Event event;
    event.id = request.id = ids.make(now.wall);
    event.source = "customer";
    event.time = now.wall;
    event.correlation_id = request.booking_id;
    describe(random, request, kSmallJet / static_cast<double>(requests.size()), event);
    request.event = encode(event);
  }
  return requests;
}

Customers::Customers(std::string client, std::uint64_t nonce, std::vector<Request>& requests)
    : client_(std::move(client)),
      requests_(requests),
      offered_(requests.size()),
      session_(client_, topics_of(client_), nonce, {}),
      publisher_(client_, {}) {}

void Customers::on_frame(const Time& now, Frame& frame) {
  const auto topic = parse_topic(frame.topic);
  if (topic && topic->kind == TopicKind::Answer) session_.on_answers(now, frame.body);
  if (topic && topic->kind == TopicKind::PutResult) publisher_.on_put_results(now, frame.body);
}

void Customers::on_time(const Time& now) {
  publisher_.set_online(session_.greeted());
  for (std::size_t each = 0; each < requests_.size(); ++each) {
    const Request& request = requests_[each];
    if (request.answered || offered_[each] || request.at > now.steady) continue;
    offered_[each] = true;
    publisher_.offer(request.id, request.event);
  }
  for (const PutResult& result : publisher_.take_results()) {
    const auto same = [&](const Request& each) { return each.id.text() == result.event_id; };
    const auto request = std::ranges::find_if(requests_, same);
    if (request != requests_.end()) request->answered = result.ok();
  }
}

std::optional<SteadyTime> Customers::wake_at() const {
  std::optional<SteadyTime> next = session_.wake_at();
  const auto consider = [&next](std::optional<SteadyTime> time) {
    if (time && (!next || *time < *next)) next = time;
  };
  consider(publisher_.wake_at());
  for (std::size_t each = 0; each < requests_.size(); ++each) {
    if (!requests_[each].answered && !offered_[each]) consider(requests_[each].at);
  }
  return next;
}

Result<> Customers::commit(const Time& now, std::vector<Frame>& out) {
  session_.collect(now, out);
  publisher_.collect(now, out);
  return {};
}

std::vector<std::string> Customers::subscriptions() const {
  return topics_of(client_);
}

}  // namespace conga::simulation
