// SPDX-License-Identifier: Apache-2.0
//
// conga-bench: puts load on conga or on one of its peers and prints what was measured as JSON.
// scripts/bench starts the daemons and calls it.

#include "tests/bench/load/load.h"
#include "tests/bench/load/systems.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using conga::bench::kMostLanes;
using conga::bench::Plan;
using conga::bench::Watched;

void add_options(CLI::App& run, Plan& plan) {
  const auto lanes = CLI::Range(std::size_t{1}, kMostLanes);
  run.add_option("--system", plan.system, "conga, zmq-proxy, nats, jetstream, redis, rabbitmq")
      ->required();
  run.add_option("--publish", plan.publish, "endpoint of publishers, or host:port")->required();
  run.add_option("--subscribe", plan.subscribe, "endpoint of consumers");
  run.add_option("--topic", plan.topic, "conga: at most once, through this topic");
  run.add_option("--publishers", plan.publishers)->check(lanes);
  run.add_option("--consumers", plan.consumers)->check(lanes);
  run.add_option("--size", plan.size, "bytes of an event");
  run.add_option("--window", plan.window, "unacknowledged events of a publisher");
  run.add_option("--backlog", plan.backlog, "events that are put and not consumed");
  run.add_option("--credit", plan.credit, "deliveries that a consumer holds");
  run.add_option("--kinds", plan.kinds, "different kinds of events");
  run.add_option("--copies", plan.copies, "deliveries of an event");
  run.add_option("--batch", plan.batch, "bytes of a put message; 1: one event a message");
  run.add_option("--services", plan.services, "consumers take turns in bench-0, bench-1, …");
  run.add_option("--slow", plan.slow, "microseconds that consumer 0 takes for an event");
  run.add_option("--rate", plan.rate, "events a second of all publishers; 0: all that go");
  run.add_option("--warmup", plan.warmup, "seconds");
  run.add_option("--seconds", plan.seconds, "seconds");
}

int complain(const conga::Error& error) {
  std::fprintf(stderr, "conga-bench: %s\n", error.what.c_str());
  return 1;
}

int load(const Plan& plan, const std::vector<std::string>& watch) {
  std::vector<Watched> watched;
  for (const std::string& word : watch) {
    const auto equals = word.find('=');
    watched.push_back({word.substr(0, equals), std::atoi(word.c_str() + equals + 1)});
  }
  const auto report = conga::bench::run_load(plan, std::move(watched));
  if (!report) return complain(report.error());
  std::printf("%s\n", report->c_str());
  return 0;
}

int list() {
  for (const auto& system : conga::bench::systems()) std::printf("%s\n", system.name);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Puts load on conga or on one of its peers. scripts/bench starts them.");
  app.require_subcommand(1);
  Plan plan;
  std::vector<std::string> watch;
  auto* const run = app.add_subcommand("run", "one run; prints one line of JSON");
  add_options(*run, plan);
  run->add_option("--watch", watch, "NAME=PID: a daemon whose CPU time and memory are shown");
  auto* const proxy = app.add_subcommand("proxy", "zmq_proxy, until it is ended");
  proxy->add_option("--publish", plan.publish)->required();
  proxy->add_option("--subscribe", plan.subscribe)->required();
  auto* const systems = app.add_subcommand("systems", "what this build can drive");
  CLI11_PARSE(app, argc, argv);
  if (systems->parsed()) return list();
  if (run->parsed()) return load(plan, watch);
  const auto ran = conga::bench::run_zmq_proxy(plan.publish, plan.subscribe);
  return ran ? 0 : complain(ran.error());
}
