// SPDX-License-Identifier: Apache-2.0

#include "cli/arguments.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using conga::cli::DlqOptions;
using conga::cli::ExitCode;
using conga::cli::Parsed;
using conga::cli::PutOptions;
using conga::cli::RulesOptions;
using conga::cli::TapOptions;

namespace {

Parsed parse(const std::vector<const char*>& words) {
  std::vector<const char*> line(words.size() + 1, "conga");
  std::copy(words.begin(), words.end(), line.begin() + 1);
  return conga::cli::parse_arguments(static_cast<int>(line.size()), line.data());
}

template <class Options>
Options options(const std::vector<const char*>& words) {
  const Parsed parsed = parse(words);
  REQUIRE_MESSAGE(parsed.arguments, parsed.text);
  REQUIRE(std::holds_alternative<Options>(parsed.arguments->command));
  return std::get<Options>(parsed.arguments->command);
}

std::string fault(const std::vector<const char*>& words) {
  const Parsed parsed = parse(words);
  CHECK_FALSE(parsed.arguments);
  CHECK(parsed.code == ExitCode::Usage);
  return parsed.text;
}

}  // namespace

TEST_CASE("put takes an event from flags") {
  const auto put = options<PutOptions>({"put",
                                        "--source",
                                        "shop",
                                        "--detail-type",
                                        "Sold",
                                        "--detail",
                                        "{}",
                                        "--count",
                                        "7",
                                        "--rate",
                                        "2.5/s"});
  CHECK(put.source == "shop");
  CHECK(put.detail_type == "Sold");
  CHECK(put.count == 7);
  CHECK(put.rate == 2.5);
}

TEST_CASE("a lone dash and a JSON event are arguments of put") {
  CHECK(options<PutOptions>({"put", "-"}).input == "-");
  CHECK(options<PutOptions>({"put", R"({"source":"shop"})"}).input == R"({"source":"shop"})");
}

TEST_CASE("options of all commands may follow the command") {
  const Parsed parsed = parse({"tap", "--json", "--timeout", "250ms", "--publish", "ipc:///p"});
  REQUIRE_MESSAGE(parsed.arguments, parsed.text);
  CHECK(parsed.arguments->json);
  CHECK(parsed.arguments->timeout == std::chrono::milliseconds(250));
  CHECK(parsed.arguments->publish == "ipc:///p");
  CHECK(parsed.arguments->subscribe.empty());
}

TEST_CASE("every subcommand of dlq and rules is told apart") {
  CHECK(options<DlqOptions>({"dlq", "list"}).action == DlqOptions::Action::List);
  CHECK(options<DlqOptions>({"dlq", "show", "17"}).numbers == std::vector<std::uint64_t>{17});
  CHECK(options<DlqOptions>({"dlq", "redrive", "17", "18"}).numbers.size() == 2);
  CHECK(options<DlqOptions>({"dlq", "purge", "--all", "--yes"}).yes);
  CHECK(options<DlqOptions>({"dlq", "redrive", "17"}).rate == 1000);
  CHECK(options<DlqOptions>({"dlq", "redrive", "17", "--rate", "50/s"}).rate == 50);
  CHECK(options<DlqOptions>({"dlq", "redrive", "17", "--rate", "max"}).rate == 0);
  CHECK(options<DlqOptions>({"dlq", "redrive", "--all", "--canary", "0"}).canaries == 0);
  CHECK(options<DlqOptions>({"dlq", "cancel", "3"}).numbers == std::vector<std::uint64_t>{3});
  CHECK(options<DlqOptions>({"dlq", "export"}).action == DlqOptions::Action::Export);
  CHECK(options<RulesOptions>({"rules", "check", "a", "b"}).files.size() == 2);
  CHECK(options<RulesOptions>({"rules", "list"}).action == RulesOptions::Action::List);
  CHECK(options<RulesOptions>({"rules", "reload"}).action == RulesOptions::Action::Reload);
  CHECK(options<RulesOptions>({"rules", "test", "--cases", "-"}).cases == "-");
}

TEST_CASE("a command line that makes no sense is refused with the reason") {
  CHECK(fault({}) == "conga: conga needs a command: one of put, tap, trace, dlq, audit, rules, status, top, target, journal, map, archive, replay, why, chaos (--help tells more)\n");
  CHECK(fault({"dlq"}).find("dlq needs a command: one of list, causes, show") != std::string::npos);
  CHECK(fault({"dlq", "lost"}).find("lost") != std::string::npos);
  CHECK(fault({"dance"}).find("dance") != std::string::npos);
  CHECK(fault({"put", "--rate", "often"}).find("'often' is not a rate") != std::string::npos);
  CHECK(fault({"tap", "--timeout", "3"}).find("not a duration") != std::string::npos);
  CHECK(fault({"put", "--count", "0"}).find("--count") != std::string::npos);
  CHECK(fault({"trace"}).find("id") != std::string::npos);
  CHECK(fault({"dlq", "purge"}).find("--all") != std::string::npos);
  CHECK(fault({"dlq", "redrive", "--all", "--rule", "r"}).find("contradict") != std::string::npos);
  CHECK(fault({"rules", "test", "--pattern", "{}"}).find("--event") != std::string::npos);
}

TEST_CASE("help of every command is on request, with examples, and no fault") {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"--help"},
                                             {"put", "--help"},
                                             {"tap", "--help"},
                                             {"trace", "--help"},
                                             {"dlq", "--help"},
                                             {"dlq", "list", "--help"},
                                             {"dlq", "show", "--help"},
                                             {"dlq", "redrive", "--help"},
                                             {"dlq", "export", "--help"},
                                             {"dlq", "tasks", "--help"},
                                             {"dlq", "cancel", "--help"},
                                             {"audit", "--help"},
                                             {"dlq", "purge", "--help"},
                                             {"rules", "--help"},
                                             {"rules", "check", "--help"},
                                             {"rules", "list", "--help"},
                                             {"rules", "test", "--help"},
                                             {"rules", "reload", "--help"},
                                             {"status", "--help"}}) {
    const Parsed parsed = parse(words);
    CHECK_FALSE(parsed.arguments);
    CHECK(parsed.code == ExitCode::Done);
    CHECK(parsed.text.find("Examples:\n  conga ") != std::string::npos);
  }
}

TEST_CASE("the version is told on request") {
  CHECK(parse({"--version"}).text == "conga 0.1.0\n");
}

TEST_CASE("chaos relay has defaults for what is only named") {
  const auto parsed = parse({"chaos",
                             "relay",
                             "--listen",
                             "ipc://a",
                             "--sidecar",
                             "ipc://b",
                             "--delay",
                             "--drop-acks",
                             "--targets",
                             "x,y"});
  REQUIRE(parsed.arguments);
  const auto& relay = std::get<conga::cli::ChaosOptions>(parsed.arguments->command).relay;
  CHECK(relay.mischief.delay == std::chrono::milliseconds(100));
  CHECK(relay.mischief.drop_acks == doctest::Approx(0.05));
  CHECK(relay.mischief.targets == std::set<std::string>{"x", "y"});
  CHECK(relay.mischief.duplicate == 0);
}

TEST_CASE("chaos relay refuses what cannot work") {
  const std::vector<const char*> start{"chaos", "relay", "--listen", "ipc://a", "--sidecar"};
  const auto with = [&start](std::vector<const char*> more) {
    more.insert(more.begin(), start.begin(), start.end());
    return fault(more);
  };
  CHECK(with({"ipc://a", "--reorder"}).find("must differ") != std::string::npos);
  CHECK(with({"ipc://b"}).find("nothing to do") != std::string::npos);
  CHECK(with({"ipc://b", "--duplicate", "7"}).find("'7' is no share") != std::string::npos);
  CHECK(with({"ipc://b", "--drop-acks=x"}).find("is no share") != std::string::npos);
  CHECK(with({"ipc://b", "--delay=2s", "--drop-acks"}).find("--ack-timeout") != std::string::npos);
}

TEST_CASE("map --diff needs what is declared, and draws in one way at a time") {
  CHECK(fault({"map", "--journal", "j", "--diff"}).find("needs --rules") != std::string::npos);
  CHECK_FALSE(fault({"map", "--journal", "j", "--dot", "--mermaid"}).empty());
  CHECK_FALSE(fault({"map"}).empty());
}
