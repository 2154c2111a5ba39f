// SPDX-License-Identifier: Apache-2.0
//
// A journal of many events, and how long the trace index takes to be built over it and to answer:
//
//   journal-bench DIR [EVENTS]
//
// Writes flows of five events of about 600 bytes, each caused by the one before, each delivered to
// one target and settled, one in a hundred after a retry, through the classes that the sidecar
// uses. What is left in DIR is a sidecar's journal: scripts/bench-journal measures the commands on
// it.

#include "bus/sidecar/file_journal.h"
#include "bus/sidecar/trace_index.h"
#include "common/core/ids.h"
#include "common/core/random.h"
#include "common/io/posix_files.h"
#include "common/wire/event/event.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace conga::bus {
namespace {

using Stopwatch = std::chrono::steady_clock;

struct Hop {
  const char* source;
  const char* type;
  const char* rule;
  const char* target;
};

constexpr std::array<Hop, 5> kFlow{{
    {"aircraft.web", "BookingRequested", "book-requested-flights", "booking"},
    {"aircraft.booking", "BookingCreated", "charge-new-bookings", "payment"},
    {"aircraft.payment", "PaymentConfirmed", "seat-paid-bookings", "seating"},
    {"aircraft.seating", "SeatAssigned", "ticket-seated-bookings", "ticketing"},
    {"aircraft.ticketing", "TicketIssued", "conclude-bookings", "booking"},
}};

class Nobody final : public RecoveryVisitor {
  void on_recent_event(std::string_view /*event*/, WallTime /*ingested*/) override {}

  void on_pending(const PendingDelivery& /*delivery*/) override {}
};

[[noreturn]] void give_up(const Error& error) {
  std::fprintf(stderr, "journal-bench: %s\n", error.what.c_str());
  std::exit(1);
}

template <class Value>
Value must(Result<Value> result) {
  if (!result) give_up(result.error());
  if constexpr (!std::is_void_v<Value>) return std::move(*result);
}

double seconds_since(Stopwatch::time_point start) {
  return std::chrono::duration<double>(Stopwatch::now() - start).count();
}

std::string detail_of(std::uint64_t flow) {
  constexpr std::size_t kPad = 330;
  std::string detail;
  Packer packer(detail);
  packer.map(3).key("booking-id").string("BK-" + std::to_string(flow));
  packer.key("fare").map(2).key("amount").unsigned_integer(18'900).key("currency").string("EUR");
  packer.key("note").string(std::string(kPad, 'x'));
  return detail;
}

class Writer {
public:
  Writer(FileJournal& journal, WallTime start) : journal_(journal), now_(start) {}

  /// Ids of the events of the flows that are asked for later.
  std::vector<std::string> write(std::uint64_t events) {
    std::vector<std::string> samples;
    const std::uint64_t flows = events / kFlow.size();
    const std::uint64_t every = std::max<std::uint64_t>(1, flows / 1000);
    for (std::uint64_t flow = 0; flow < flows; ++flow) {
      Uuid cause{};
      for (const Hop& hop : kFlow) cause = write(flow, hop, cause);
      if (flow % every == 0) samples.push_back("BK-" + std::to_string(flow));
      constexpr std::uint64_t kSync = 200;
      if (flow % kSync == 0) must(journal_.sync());
    }
    must(journal_.sync());
    return samples;
  }

private:
  Uuid write(std::uint64_t flow, const Hop& hop, const Uuid& cause) {
    now_ += std::chrono::microseconds(50);
    Event event;
    event.id = ids_.make(now_);
    event.source = hop.source;
    event.detail_type = hop.type;
    event.time = now_;
    event.detail = detail_of(flow);
    event.correlation_id = "BK-" + std::to_string(flow);
    if (cause != Uuid{}) event.causation_id = cause;
    const TargetName target{.rule = hop.rule, .target = hop.target};
    const EventRef ref = must(journal_.append(now_, std::span(&target, 1), encode(event)));
    const bool retried = ref.sequence % 100 == 0;
    if (retried) {
      must(journal_.append(RetryRecord{.sequence = ref.sequence,
                                       .target = target,
                                       .attempt = 1,
                                       .instance = "bench-1",
                                       .sent = now_,
                                       .failed = now_,
                                       .due = now_,
                                       .code = "Busy",
                                       .message = "later"}));
    }
    must(journal_.append(SettledRecord{.sequence = ref.sequence,
                                       .target = target,
                                       .ending = Ending::Settled,
                                       .attempts = retried ? 2U : 1U,
                                       .instance = "bench-1",
                                       .first_attempt = now_,
                                       .last_attempt = now_,
                                       .at = now_ + std::chrono::milliseconds(3)}));
    return event.id;
  }

  FileJournal& journal_;
  WallTime now_;
  Random random_{1};
  UuidFactory ids_{random_};
};

/// The p50, p99 and longest of tracing each of `ids`, in milliseconds.
std::array<double, 3> trace_all(TraceIndex& index,
                                FileJournal& journal,
                                const std::vector<std::string>& ids) {
  std::vector<double> took;
  for (const std::string& id : ids) {
    const auto start = Stopwatch::now();
    const auto events = must(index.trace(journal, id, 1000));
    took.push_back(seconds_since(start) * 1000);
    if (events.size() != kFlow.size()) give_up({.fault = Fault::Corrupt, .what = id, .code = {}});
  }
  std::ranges::sort(took);
  return {took[took.size() / 2], took[took.size() * 99 / 100], took.back()};
}

int run(const std::string& directory, std::uint64_t events) {
  PosixFiles files;
  FileJournalOptions options;
  options.directory = directory;
  options.retention_bytes = ~std::uint64_t{0} >> 1U;
  const WallTime now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  Nobody nobody;
  const auto journal = must(FileJournal::open(files, options, now, nobody));

  auto start = Stopwatch::now();
  const auto first = now - std::chrono::microseconds(50) * events;
  std::vector<std::string> ids = Writer(*journal, first).write(events);
  const double wrote = seconds_since(start);

  const auto index = must(TraceIndex::open(directory + "/trace-index.db"));
  start = Stopwatch::now();
  while (must(index->follow(*journal))) {
  }
  const double followed = seconds_since(start);

  Random random(2);
  for (std::size_t at = ids.size(); at > 1; --at) std::swap(ids[at - 1], ids[random.below(at)]);
  const auto [p50, p99, longest] = trace_all(*index, *journal, ids);
  const auto count = static_cast<double>(events);
  std::printf(
      "{\"events\": %llu, \"bytes\": %llu, \"write-per-second\": %.0f, \"index-per-second\": %.0f, "
      "\"traces\": %zu, \"trace-p50-ms\": %.3f, \"trace-p99-ms\": %.3f, \"trace-max-ms\": %.3f}\n",
      static_cast<unsigned long long>(events),
      static_cast<unsigned long long>(journal->stats().bytes),
      count / wrote,
      count / followed,
      ids.size(),
      p50,
      p99,
      longest);
  return 0;
}

}  // namespace
}  // namespace conga::bus

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: journal-bench DIR [EVENTS]   (1000000)\n");
    return 2;
  }
  const std::uint64_t events = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  return conga::bus::run(argv[1], events);
}
