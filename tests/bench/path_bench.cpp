// SPDX-License-Identifier: Apache-2.0
//
// What an event costs on its way from a publisher to a settled delivery, part by part, on one
// thread and without sockets: what is left are the Nodes' own work and the journal's writes.
//
//   path-bench DIR [EVENTS] [RULES]
//
// Prints CPU time for each event. DIR, on the disk to be measured, must not exist.

#include "bus/forwarder.h"
#include "bus/sidecar/sidecar.h"
#include "common/client/publisher.h"
#include "common/client/subscriber.h"
#include "common/core/clock.h"
#include "common/core/random.h"
#include "common/io/posix_files.h"
#include "common/log/log.h"
#include "common/wire/topics.h"
#include "tests/bench/load/event_mill.h"
#include "tests/support/loaded_rules.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace conga::bench {
namespace {

constexpr std::size_t kTurn = 1024;  ///< Events a turn: what a loaded system's turns hold.
constexpr std::size_t kSize = 600;
constexpr const char* kClient = "bench-put";
constexpr const char* kService = "bench-0";
constexpr const char* kInstance = "bench-take";

std::uint64_t cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::uint64_t>(used.tv_sec) * 1'000'000'000
         + static_cast<std::uint64_t>(used.tv_nsec);
}

bus::RuleSet make_rules(std::size_t count) {
  std::string text = "rules:\n";
  for (std::size_t number = 0; number < count; ++number) {
    const std::string digits = std::to_string(100'000 + number).substr(1);
    text += "  - name: rule-" + digits + "\n    pattern:\n      source: [bench.load]\n"
            + "      detail-type: [LoadPut]\n      detail: {kind: [kind-" + digits + "]}\n"
            + "    targets: [{service: bench-0}]\n";
  }
  const bus::RuleFile file{.name = "rules.yaml", .text = text};
  auto rules = bus::RuleSet::parse({&file, 1});
  if (!rules) {
    std::fprintf(stderr, "path-bench: %s\n", rules.error().what.c_str());
    std::exit(1);
  }
  return std::move(*rules);
}

/// CPU time by part.
class Ledger {
public:
  void begin() { from_ = cpu_ns(); }

  void book(const char* part) {
    const std::uint64_t now = cpu_ns();
    find(part).ns += now - from_;
    from_ = now;
  }

  void reset() { parts_.clear(); }

  void print(std::size_t events) const {
    double total = 0;
    for (const Part& part : parts_) {
      const double each = static_cast<double>(part.ns) / static_cast<double>(events);
      total += each;
      std::printf("| %-40s | %6.0f |\n", part.name, each);
    }
    std::printf("| %-40s | %6.0f |\n", "all", total);
  }

private:
  struct Part {
    const char* name;
    std::uint64_t ns = 0;
  };

  Part& find(std::string_view name) {
    const auto found = std::ranges::find(parts_, name, &Part::name);
    if (found != parts_.end()) return *found;
    return parts_.emplace_back(Part{name.data()});
  }

  std::vector<Part> parts_;
  std::uint64_t from_ = 0;
};

/// Fails the run: this is a program of one purpose.
void must(const Result<>& outcome) {
  if (outcome) return;
  std::fprintf(stderr, "path-bench: %s\n", outcome.error().what.c_str());
  std::exit(1);
}

class Path {
public:
  Path(const std::string& directory, std::size_t rules)
      : forwarder_(bus::ForwarderOptions{},
                   make_rules(rules),
                   std::make_unique<bus::testing::LoadedRules>([] { return no_rules(); }),
                   log_),
        mill_(rules, kSize, random_),
        publisher_(kClient, {.window = 4 * kTurn}),
        subscriber_(kService, kInstance, {.credit = 4 * kTurn}) {
    bus::SidecarConfig config;
    config.journal.directory = directory;
    auto opened = bus::open_sidecar(config, files_, clock_.now(), random_, log_);
    if (!opened) must(opened.failure());
    sidecar_ = std::move(*opened);
    publisher_.set_online(true);
    subscriber_.set_online(true);
    const Time now = clock_.now();
    for (const std::string& topic :
         {deliver_topic(kService, kInstance), put_result_topic(kClient)}) {
      forwarder_.on_presence(now, {.topic = topic, .present = true});
    }
    for (int turns = 0; turns < 3; ++turns) turn(0);
  }

  /// True once nothing is under way.
  bool idle() const { return publisher_.in_window() == 0 && settled_ == put_; }

  std::size_t room() const { return 4 * kTurn - publisher_.in_window(); }

  void turn(std::size_t events) {
    const Time now = clock_.now();
    events = std::min(events, room());
    ledger.begin();
    for (std::size_t made = 0; made < events; ++made) {
      auto [id, event] = mill_.next(now.wall, 0);
      publisher_.offer(id, std::move(event));
    }
    put_ += events;
    ledger.book("publisher: making and offering");
    publisher_.collect(now, to_bus_);
    ledger.book("publisher: packing");
    forward(now, to_bus_, "bus: puts and settlements");
    for (Frame& frame : to_sidecar_) {
      const bool routed = frame.topic == "link/routed";
      sidecar_->on_frame(now, frame);
      ledger.book(routed ? "sidecar: taking events on" : "sidecar: settlements");
    }
    to_sidecar_.clear();
    sidecar_->on_time(now);
    ledger.book("sidecar: deliveries");
    must(sidecar_->commit(now, from_sidecar_));
    ledger.book("sidecar: commit");
    forward(now, from_sidecar_, "bus: passing on");
    for (Frame& frame : to_clients_) take(now, frame);
    to_clients_.clear();
    subscriber_.collect(now, to_bus_);
    ledger.book("consumer: settling");
  }

  Ledger ledger;

private:
  static bus::PendingRules no_rules() { return {}; }

  void forward(const Time& now, std::vector<Frame>& frames, const char* part) {
    for (Frame& frame : frames) forwarder_.on_frame(now, frame);
    frames.clear();
    forwarder_.on_time(now);
    std::vector<Frame> out;
    must(forwarder_.commit(now, out));
    ledger.book(part);
    for (Frame& frame : out) {
      (frame.channel == Channel::Link ? to_sidecar_ : to_clients_).push_back(std::move(frame));
    }
  }

  void take(const Time& now, Frame& frame) {
    if (frame.topic.starts_with("put-result/")) {
      publisher_.on_put_results(now, frame.body);
      publisher_.take_results();
      ledger.book("publisher: results");
      return;
    }
    for (const Delivery& delivery : subscriber_.on_deliveries(frame.body)) {
      subscriber_.settle({.id = delivery.id, .code = {}, .message = {}, .delay = {}});
      ++settled_;
    }
    ledger.book("consumer: deliveries");
  }

  Log log_ = Log::null();
  Random random_{7};
  SystemClock clock_;
  PosixFiles files_;
  bus::Forwarder forwarder_;
  std::unique_ptr<bus::SidecarNode> sidecar_;
  EventMill mill_;
  Publisher publisher_;
  Subscriber subscriber_;
  std::vector<Frame> to_bus_;
  std::vector<Frame> to_sidecar_;
  std::vector<Frame> from_sidecar_;
  std::vector<Frame> to_clients_;
  std::size_t put_ = 0;
  std::size_t settled_ = 0;
};

int run(const std::string& directory, std::size_t events, std::size_t rules) {
  Path path(directory, rules);
  for (std::size_t turns = 0; turns < 64; ++turns) path.turn(kTurn);
  path.ledger.reset();
  for (std::size_t done = 0; done < events; done += kTurn) path.turn(kTurn);
  path.ledger.print(events);
  for (int turns = 0; turns < 1000 && !path.idle(); ++turns) path.turn(0);
  if (path.idle()) return 0;
  std::fprintf(stderr, "path-bench: not every event was settled\n");
  return 1;
}

}  // namespace
}  // namespace conga::bench

int main(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') {
    std::fprintf(stderr, "usage: path-bench DIR [EVENTS] [RULES]; DIR must not exist\n");
    return 2;
  }
  const auto number = [&](int at, std::size_t usual) {
    return argc > at ? std::strtoul(argv[at], nullptr, 10) : usual;
  };
  return conga::bench::run(argv[1], number(2, 1'000'000), number(3, 1000));
}
