// SPDX-License-Identifier: Apache-2.0
//
// How many events a second a service takes in through inbox, handler and outbox, on a real file:
//
//   kit-bench DIR [EVENTS]
//
// The handler stores a row and tells a fact. The bus is this program: it hands over a frame of
// deliveries a turn, as many as the service has credit for, and answers every put at once. So what
// is measured is the kit, its SQLite transaction with its fsync, and nothing else.

#include "common/core/random.h"
#include "common/log/log.h"
#include "common/wire/messages.h"
#include "common/wire/topics.h"
#include "services/kit/service_node.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace conga::kit {
namespace {

constexpr std::size_t kBatch = 256;  ///< The default credit of a service.
constexpr const char* kInstance = "bench-1";

/// Stores a row for each event, and tells one fact.
class OneRowOneFact final : public Handlers {
public:
  explicit OneRowOneFact(Database& database) : database_(database) {}

  const Manifest& manifest() const override {
    static const Manifest kManifest{.service = "bench",
                                    .source = "bench",
                                    .consumes = {{"Asked", "{}"}},
                                    .emits = {{"Answered", "{}"}}};
    return kManifest;
  }

  Result<> migrate() override {
    static constexpr std::array<std::string_view, 1> kSteps{
        "CREATE TABLE things(id TEXT PRIMARY KEY, amount INTEGER NOT NULL) STRICT;"};
    return database_.migrate("bench", kSteps);
  }

  Result<Decision> handle(const EventView& event, const Time& /*now*/) override {
    const auto stored =
        database_.run("INSERT INTO things VALUES(?, ?)", {event.id.text(), std::int64_t{1}});
    if (!stored) return stored.failure();
    return Decision{.facts = {{.type = "Answered", .detail = std::string(event.detail.bytes())}},
                    .effect = {}};
  }

private:
  Database& database_;
};

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "kit-bench: %s\n", what.c_str());
  std::exit(1);
}

template <class T>
T need(Result<T> result) {
  if (!result) die(result.error().what);
  return std::move(*result);
}

/// An event of about 600 bytes.
std::string event_bytes(UuidFactory& ids, const Time& now) {
  Event event;
  event.id = ids.make(now.wall);
  event.source = "bench";
  event.detail_type = "Asked";
  event.time = now.wall;
  event.correlation_id = "flow";
  Packer(event.detail).map(1).key("text").string(std::string(430, 'x'));
  return encode(event);
}

class Bench {
public:
  explicit Bench(const std::string& path)
      : database_(need(Database::open(path + "/kit-bench.db"))),
        handlers_(*database_),
        effects_(inline_effects(handlers_)) {
    ServiceOptions options;
    options.service = "bench";
    options.instance = kInstance;
    options.nonce = 1;
    options.subscriber.credit = kBatch;
    node_ = need(ServiceNode::open(std::move(options), handlers_, *effects_, *database_, log_));
  }

  /// Until `events` are settled and their facts put and answered.
  void run(std::size_t events) {
    UuidFactory ids(random_);
    std::size_t delivered = 0;
    turn();
    while (settled_ < events || put_ < events) {
      if (greeted_ && settled_ == delivered && delivered < events) deliver(ids, delivered);
      turn();
    }
  }

private:
  void deliver(UuidFactory& ids, std::size_t& delivered) {
    Frame frame{
        .channel = Channel::Bus, .topic = std::string("deliver/bench/") + kInstance, .body = {}};
    for (std::size_t each = 0; each < kBatch; ++each) {
      const std::string bytes = event_bytes(ids, clock_.now());
      append(frame.body,
             DeliveryView{.id = ++delivered, .attempt = 1, .rule = "r", .event = bytes});
    }
    node_->on_frame(clock_.now(), frame);
  }

  void turn() {
    std::vector<Frame> out;
    node_->on_time(clock_.now());
    const auto committed = node_->commit(clock_.now(), out);
    if (!committed) die(committed.error().what);
    for (const Frame& frame : out) answer(frame);
  }

  void answer(const Frame& frame) {
    const auto topic = parse_topic(frame.topic);
    if (!topic) die("an unknown topic " + frame.topic);
    std::string_view body = frame.body;
    Frame reply{.channel = Channel::Bus, .topic = {}, .body = {}};
    while (!body.empty()) {
      if (topic->kind == TopicKind::Ask) {
        append_answer(reply.body, need(take_ask(body)).request, "\x80");
        reply.topic = std::string("answer/") + kInstance;
        greeted_ = true;
      } else if (topic->kind == TopicKind::Settle) {
        need(take_settlement(body));
        ++settled_;
      } else if (topic->kind == TopicKind::Put) {
        const Value event = need(Value::take(body));
        append(
            reply.body,
            PutResult{
                .event_id = need(read_event(event.bytes())).id.text(), .code = {}, .message = {}});
        reply.topic = std::string("put-result/") + kInstance;
        ++put_;
      } else {
        return;
      }
    }
    if (!reply.body.empty()) node_->on_frame(clock_.now(), reply);
  }

  Log log_ = Log::null();
  SystemClock clock_;
  Random random_ = Random::from_system();
  std::unique_ptr<Database> database_;
  OneRowOneFact handlers_;
  std::unique_ptr<EffectRunner> effects_;
  std::unique_ptr<ServiceNode> node_;
  bool greeted_ = false;
  std::size_t settled_ = 0;
  std::size_t put_ = 0;
};

int bench(int argc, char** argv) {
  if (argc < 2) die("usage: kit-bench DIR [EVENTS]");
  const std::size_t wanted = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 200'000;
  const std::size_t events = (wanted + kBatch - 1) / kBatch * kBatch;
  Bench bench(argv[1]);
  const auto start = std::chrono::steady_clock::now();
  bench.run(events);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%zu events in %.2f s: %.0f events/s through inbox, handler and outbox\n",
              events,
              took.count(),
              static_cast<double>(events) / took.count());
  return 0;
}

}  // namespace
}  // namespace conga::kit

int main(int argc, char** argv) {
  return conga::kit::bench(argc, argv);
}
