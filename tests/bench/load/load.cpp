// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/load/load.h"

#include "tests/bench/load/systems.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace conga::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kPatience = 20 * kSecond;

/// Memory that the processes of a run share.
class Shared {
public:
  Shared() {
    void* const memory =
        ::mmap(nullptr, sizeof(Control), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) control_ = new (memory) Control;
  }

  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  ~Shared() {
    if (control_ != nullptr) ::munmap(control_, sizeof(Control));
  }

  Control* get() { return control_; }

private:
  Control* control_ = nullptr;
};

struct Usage {
  double cpu_seconds = 0;
  double resident_mib = 0;
  double most_resident_mib = 0;
};

double mib_of(const std::string& line) {
  return std::strtod(line.c_str() + line.find(':') + 1, nullptr) / 1024;
}

Usage usage_of(pid_t pid) {
  Usage usage;
  const std::string folder = "/proc/" + std::to_string(pid);
  std::ifstream stat(folder + "/stat");
  std::string text;
  std::getline(stat, text);
  // The fields behind the name, which may hold anything: utime and stime are the 12th and 13th.
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return usage;
  std::istringstream fields(text.substr(name_end + 1));
  std::string field;
  double ticks = 0;
  for (int at = 1; at <= 13 && fields >> field; ++at) {
    if (at >= 12) ticks += std::strtod(field.c_str(), nullptr);
  }
  usage.cpu_seconds = ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::ifstream status(folder + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS")) usage.resident_mib = mib_of(line);
    if (line.starts_with("VmHWM")) usage.most_resident_mib = mib_of(line);
  }
  return usage;
}

/// The processes of one run; ends those that still run.
class Crew {
public:
  Crew(const Plan& plan, Control& control, const System& system)
      : plan_(plan), control_(control), system_(system) {}

  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  ~Crew() {
    control_.stop.store(true);
    const std::uint64_t end = now_ns() + 3 * kSecond;
    for (const pid_t pid : pids_) {
      while (::waitpid(pid, nullptr, WNOHANG) == 0) {
        if (now_ns() > end) ::kill(pid, SIGKILL);
        sleep_until(now_ns() + kSecond / 1000);
      }
    }
  }

  pid_t start(bool publishes, std::size_t number) {
    const pid_t pid = ::fork();
    if (pid != 0) {
      if (pid > 0) pids_.push_back(pid);
      return pid;
    }
    Side side(plan_, control_, publishes, number);
    const auto ran = publishes ? system_.publish(side) : system_.consume(side);
    if (!ran) {
      std::fprintf(stderr, "conga-bench: %s: %s\n", side.name().c_str(), ran.error().what.c_str());
      side.lane().failed.store(true);
    }
    std::fflush(stderr);
    ::_exit(ran ? 0 : 1);
  }

private:
  const Plan& plan_;
  Control& control_;
  const System& system_;
  std::vector<pid_t> pids_;
};

std::uint64_t sum(const std::array<Lane, kMostLanes>& lanes,
                  std::atomic<std::uint64_t> Lane::*counter) {
  std::uint64_t total = 0;
  for (const Lane& lane : lanes) total += (lane.*counter).load();
  return total;
}

bool any_failed(const Control& control) {
  const auto failed = [](const Lane& lane) { return lane.failed.load(); };
  return std::ranges::any_of(control.publishers, failed)
         || std::ranges::any_of(control.consumers, failed);
}

Result<> wait_until_ready(const Control& control, const Plan& plan) {
  const std::uint64_t end = now_ns() + kPatience;
  const auto ready = [](const Lane& lane) { return lane.ready.load(); };
  while (now_ns() < end) {
    if (any_failed(control)) return fail(Fault::Transient, "a process of the run failed");
    const auto lanes = std::ranges::count_if(control.publishers, ready)
                       + std::ranges::count_if(control.consumers, ready);
    if (static_cast<std::size_t>(lanes) == plan.publishers + plan.consumers) return {};
    sleep_until(now_ns() + kSecond / 100);
  }
  return fail(Fault::Transient, "not all processes of the run were ready within 20 s");
}

/// What is compared between the start and the end of the measuring.
struct Reading {
  std::uint64_t at = 0;
  std::uint64_t put = 0;
  std::uint64_t acknowledged = 0;
  std::vector<std::uint64_t> consumed;  ///< By consumer.
  std::vector<Usage> usage;
};

Reading read(const Control& control, const Plan& plan, const std::vector<Watched>& watched) {
  Reading reading;
  reading.at = now_ns();
  reading.put = sum(control.publishers, &Lane::put);
  reading.acknowledged = sum(control.publishers, &Lane::done);
  for (std::size_t at = 0; at < plan.consumers; ++at) {
    reading.consumed.push_back(control.consumers[at].done.load());
  }
  for (const Watched& process : watched) reading.usage.push_back(usage_of(process.pid));
  return reading;
}

std::string latencies(const std::array<Lane, kMostLanes>& lanes, Histogram Lane::*histogram) {
  const auto all = std::make_unique<Histogram>();
  for (const Lane& lane : lanes) all->add(lane.*histogram);
  const auto micros = [&all](double share) {
    return static_cast<double>(all->quantile(share)) / 1000;
  };
  return fmt::format(
      R"({{"count": {}, "p50": {:.1f}, "p90": {:.1f}, "p99": {:.1f}, "p99.9": {:.1f}, "max": {:.1f}}})",
      all->total(),
      micros(0.5),
      micros(0.9),
      micros(0.99),
      micros(0.999),
      micros(1));
}

std::string report(const Plan& plan,
                   const Control& control,
                   const std::vector<Watched>& watched,
                   const Reading& begin,
                   const Reading& end) {
  const double seconds = static_cast<double>(end.at - begin.at) / 1e9;
  const auto rate = [seconds](std::uint64_t from, std::uint64_t to) {
    return static_cast<double>(to - from) / seconds;
  };
  double consumed = 0;
  std::string each;
  for (std::size_t at = 0; at < end.consumed.size(); ++at) {
    const double one = rate(begin.consumed[at], end.consumed[at]);
    consumed += one;
    each += fmt::format("{}{:.0f}", at == 0 ? "" : ", ", one);
  }
  std::string processes;
  double cpu = 0;
  for (std::size_t at = 0; at < watched.size(); ++at) {
    const double share = (end.usage[at].cpu_seconds - begin.usage[at].cpu_seconds) / seconds * 100;
    cpu += share;
    processes += fmt::format(
        R"({}{{"name": "{}", "cpu_percent": {:.0f}, "rss_mib": {:.0f}, "peak_rss_mib": {:.0f}}})",
        at == 0 ? "" : ", ",
        watched[at].name,
        share,
        end.usage[at].resident_mib,
        end.usage[at].most_resident_mib);
  }
  return fmt::format(
      R"({{"system": "{}", "publishers": {}, "consumers": {}, "size": {}, "seconds": {:.2f}, )"
      R"("put_per_second": {:.0f}, "acknowledged_per_second": {:.0f}, )"
      R"("delivered_per_second": {:.0f}, "by_consumer": [{}], "put_again": {}, )"
      R"("latency_us": {}, "cpu_percent": {:.0f}, "processes": [{}]}})",
      plan.system,
      plan.publishers,
      plan.consumers,
      plan.size,
      seconds,
      rate(begin.put, end.put),
      rate(begin.acknowledged, end.acknowledged),
      consumed,
      each,
      sum(control.publishers, &Lane::again),
      latencies(control.consumers, &Lane::latency),
      cpu,
      processes);
}

void sleep_for(double seconds) {
  sleep_until(now_ns() + static_cast<std::uint64_t>(seconds * 1e9));
}

}  // namespace

Result<std::string> run_load(const Plan& plan, std::vector<Watched> watched) {
  const auto& known = systems();
  const auto system = std::ranges::find_if(
      known, [&plan](const System& candidate) { return plan.system == candidate.name; });
  if (system == known.end()) {
    return fail(Fault::Permanent,
                "system '" + plan.system + "' is not in this build: install its client library");
  }
  if (system->prepare != nullptr) {
    if (auto prepared = system->prepare(plan); !prepared) return prepared.failure();
  }
  Shared shared;
  Control* const control = shared.get();
  if (control == nullptr) return fail(Fault::Transient, "no shared memory");
  Crew crew(plan, *control, *system);
  for (std::size_t at = 0; at < plan.consumers; ++at) {
    watched.push_back({"consumer", crew.start(false, at)});
  }
  for (std::size_t at = 0; at < plan.publishers; ++at) {
    watched.push_back({"publisher", crew.start(true, at)});
  }
  if (auto ready = wait_until_ready(*control, plan); !ready) return ready.failure();
  control->go.store(true);
  sleep_for(plan.warmup);
  const Reading begin = read(*control, plan, watched);
  control->measuring.store(true);
  sleep_for(plan.seconds);
  control->measuring.store(false);
  const Reading end = read(*control, plan, watched);
  if (any_failed(*control)) return fail(Fault::Transient, "a process of the run failed");
  return report(plan, *control, watched, begin, end);
}

}  // namespace conga::bench
