// SPDX-License-Identifier: Apache-2.0
//
// How many events a second the Matcher decides, by the number of rules: from msgpack, which is what
// the bus does, and from JSON text, to compare with engines that read JSON.
//
//   tests/bench/matcher_workload.py DIR && build/tests/bench/matcher-bench DIR

#include "bus/rules/matcher.h"
#include "common/wire/event/json.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <malloc.h>
#include <optional>
#include <string>
#include <vector>

namespace {

using conga::Value;
using conga::bus::Matcher;
using conga::bus::Pattern;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(std::move(line));
  return lines;
}

double allocated_megabytes() {
  const auto info = mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd) / 1e6;
}

struct Built {
  Matcher matcher;
  double seconds = 0;
  double megabytes = 0;
};

std::optional<Built> build(const std::vector<std::string>& rules) {
  std::vector<std::string> patterns;
  for (const std::string& rule : rules) {
    const auto packed = conga::json_to_msgpack(rule);
    if (!packed) return std::nullopt;
    patterns.push_back(conga::to_json(*Value::trusted(*packed).find("pattern")));
  }
  const double before = allocated_megabytes();
  const auto begin = Clock::now();
  std::vector<Pattern> parsed;
  for (const std::string& json : patterns) {
    auto pattern = Pattern::parse_json(json);
    if (!pattern) return std::nullopt;
    parsed.push_back(std::move(*pattern));
  }
  Matcher matcher = Matcher::compile(parsed);
  const double seconds = seconds_since(begin);
  parsed = {};
  return Built{std::move(matcher), seconds, allocated_megabytes() - before};
}

struct Rate {
  double median = 0;
  std::size_t matches = 0;
};

/// The median of five passes over all events, after one to warm up.
template <class MatchOne>
Rate measure(const std::vector<std::string>& events, MatchOne match_one) {
  std::array<double, 5> rates{};
  Rate rate;
  for (int pass = -1; pass < static_cast<int>(rates.size()); ++pass) {
    rate.matches = 0;
    const auto begin = Clock::now();
    for (const std::string& event : events) rate.matches += match_one(event);
    const double seconds = seconds_since(begin);
    if (pass >= 0) {
      rates.at(static_cast<std::size_t>(pass)) = static_cast<double>(events.size()) / seconds;
    }
  }
  std::ranges::sort(rates);
  rate.median = rates[rates.size() / 2];
  return rate;
}

bool run(const std::string& folder,
         const std::string& set,
         const std::vector<std::string>& json,
         const std::vector<std::string>& packed) {
  const auto rules = read_lines(folder + "/" + set + ".jsonl");
  if (rules.empty()) return true;
  const auto built = build(rules);
  if (!built) return false;
  Matcher::Scratch scratch;
  std::vector<Matcher::RuleIndex> matches;
  const Rate from_msgpack = measure(packed, [&](const std::string& event) {
    built->matcher.match(Value::trusted(event), scratch, matches);
    return matches.size();
  });
  const Rate from_json = measure(json, [&](const std::string& event) {
    return built->matcher.match_json(event, scratch, matches) ? matches.size() : std::size_t{0};
  });
  std::printf("%-20s %12.0f %12.0f %10zu %10.3f %10.1f\n",
              set.c_str(),
              from_msgpack.median,
              from_json.median,
              from_msgpack.matches,
              built->seconds,
              built->megabytes);
  std::fflush(stdout);
  return from_msgpack.matches == from_json.matches;
}

std::string list_of(int count, const std::function<std::string(int)>& make) {
  std::string list;
  for (int at = 0; at < count; ++at) list += (at == 0 ? "" : ",") + make(at);
  return list;
}

std::string wanting(const std::string& pattern) {
  return R"({"pattern":{"detail":)" + pattern + "}}";
}

struct Hostile {
  std::string name;
  std::vector<std::string> rules;
  std::string detail;  ///< Of the event.
};

/// What a rule's author or a publisher might do to slow the bus down.
std::vector<Hostile> hostile_sets() {
  const auto number = [](int at) { return std::to_string(at); };
  std::vector<Hostile> sets;

  // Each wildcard's parts are all in the text, but not in its order: none is ruled out early.
  Hostile stars{"wildcards", {}, R"({"text":")" + std::string(1000, 'a') + R"(wxyz"})"};
  Hostile arrays{"arrays", {}, ""};
  Hostile ranges{"ranges", {}, R"({"n":500})"};
  for (int at = 0; at < 1000; ++at) {
    const std::string part(1 + static_cast<std::size_t>(at), 'a');
    stars.rules.push_back(wanting(R"({"text":[{"wildcard":"a*wxyz*)" + part + R"(*"}]})"));
    arrays.rules.push_back(
        wanting(R"({"legs":{"from":["A"],"to":["B"],"n":[)" + number(at) + "]}}"));
    ranges.rules.push_back(
        wanting(R"({"n":[{"numeric":[">=",)" + number(at) + R"(,"<",)" + number(at + 10) + "]}]}"));
  }
  arrays.detail = R"({"legs":[)"
                  + list_of(200,
                            [&](int at) {
                              return R"({"from":"A","to":")" + std::string(at % 2 == 0 ? "B" : "C")
                                     + R"(","n":)" + number(at) + "}";
                            })
                  + "]}";
  sets.push_back(std::move(stars));
  sets.push_back(std::move(arrays));
  sets.push_back(std::move(ranges));
  const auto branch = [&](int at) { return R"({"k)" + number(at) + R"(":[1],"z":[2]})"; };
  sets.push_back(
      {"or-50",
       {wanting(R"({"$or":[)" + list_of(50, branch) + "]}")},
       "{" + list_of(50, [&](int at) { return "\"k" + number(at) + "\":1"; }) + R"(,"z":3})"});
  return sets;
}

bool run_hostile() {
  std::printf(
      "\n%-20s %12s %12s %10s %10s\n", "hostile", "msgpack/s", "us/event", "bytes", "matches");
  for (const Hostile& hostile : hostile_sets()) {
    const auto built = build(hostile.rules);
    const auto packed = conga::json_to_msgpack(R"({"detail":)" + hostile.detail + "}");
    if (!built || !packed) return false;
    Matcher::Scratch scratch;
    std::vector<Matcher::RuleIndex> matches;
    const Rate rate =
        measure(std::vector<std::string>(200, *packed), [&](const std::string& event) {
          built->matcher.match(Value::trusted(event), scratch, matches);
          return matches.size();
        });
    std::printf("%-20s %12.0f %12.1f %10zu %10zu\n",
                hostile.name.c_str(),
                rate.median,
                1e6 / rate.median,
                packed->size(),
                rate.matches / 200);
  }
  return true;
}

/// Those asked for, or all that the workload has.
std::vector<std::string> sets_of(std::vector<std::string> asked) {
  if (!asked.empty()) return asked;
  for (const char* const kind : {"rules-", "rules-core-"}) {
    for (int count = 1; count <= 100000; count *= 10) {
      asked.push_back(kind + std::to_string(count));
    }
  }
  return asked;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: matcher-bench DIR [SET]..., DIR made by tests/bench/matcher_workload.py\n",
               stderr);
    return 2;
  }
  const std::string folder = argv[1];
  const auto json = read_lines(folder + "/events.jsonl");
  std::vector<std::string> packed;
  for (const std::string& event : json)
    packed.push_back(conga::json_to_msgpack(event).value_or(""));
  if (json.empty()) {
    std::fprintf(stderr, "no events in %s\n", folder.c_str());
    return 1;
  }
  std::printf("%-20s %12s %12s %10s %10s %10s\n",
              "rules",
              "msgpack/s",
              "json/s",
              "matches",
              "build s",
              "MB");
  bool ok = true;
  for (const std::string& set : sets_of(std::vector<std::string>(argv + 2, argv + argc))) {
    ok = run(folder, set, json, packed) && ok;
  }
  ok = run_hostile() && ok;
  return ok ? 0 : 1;
}
