// SPDX-License-Identifier: Apache-2.0

#include "bus/bus_config.h"

#include "common/config/config_reader.h"

#include <doctest/doctest.h>

#include <string>

using conga::bus::BusConfig;
using conga::bus::read_bus_config;
using namespace std::chrono_literals;

namespace {

conga::Result<BusConfig> read(const std::string& yaml) {
  const std::string file = "/etc/conga/bus.yaml";
  const auto root = conga::parse_yaml(yaml, file);
  REQUIRE(root);
  BusConfig config;
  conga::ConfigFaults faults(file);
  {
    conga::ConfigReader reader(*root, "", faults);
    read_bus_config(reader, config);
  }
  if (faults.empty()) return config;
  return tl::unexpected<conga::Error>(faults.error());
}

std::string without_comments(const std::string& yaml) {
  std::string kept;
  std::size_t at = 0;
  while (at < yaml.size()) {
    const std::size_t end = std::min(yaml.find('\n', at), yaml.size());
    const std::string line = yaml.substr(at, end - at);
    const std::size_t text = line.find_first_not_of(' ');
    if (text != std::string::npos && line[text] != '#') kept += line + "\n";
    at = end + 1;
  }
  return kept;
}

}  // namespace

TEST_CASE("a file with the rules alone has the defaults") {
  const auto config = read("rules: rules.yaml");
  REQUIRE(config);
  CHECK(config->rules == "/etc/conga/rules.yaml");
  CHECK(config->publish == "tcp://127.0.0.1:7461");
  CHECK(config->sidecar == BusConfig::Sidecar::Process);
  CHECK(config->forwarder.link.window == 8 << 20);
  CHECK(config->forwarder.max_hops == 64);
}

TEST_CASE("the file that is installed names every key with its default") {
  const auto text = conga::read_text_file(SOURCE_ROOT "/config/bus.yaml");
  REQUIRE(text);
  const auto installed = read(*text);
  REQUIRE(installed);
  const auto defaults = read("{rules: rules.yaml, sidecar-config: sidecar.yaml}");
  REQUIRE(defaults);
  CHECK(installed->publish == defaults->publish);
  CHECK(installed->subscribe == defaults->subscribe);
  CHECK(installed->link == defaults->link);
  CHECK(installed->rules == defaults->rules);
  CHECK(installed->sidecar == defaults->sidecar);
  CHECK(installed->sidecar_config == defaults->sidecar_config);
  CHECK(installed->sidecar_hand_over_size == defaults->sidecar_hand_over_size);
  CHECK(installed->drain_limit == defaults->drain_limit);
  CHECK(installed->metrics.listen == defaults->metrics.listen);
  CHECK(installed->log.level == defaults->log.level);
  CHECK(installed->forwarder.name == defaults->forwarder.name);
  CHECK(installed->forwarder.event.max_size == defaults->forwarder.event.max_size);
  CHECK(installed->forwarder.event.max_depth == defaults->forwarder.event.max_depth);
  CHECK(installed->forwarder.max_hops == defaults->forwarder.max_hops);
  CHECK(installed->forwarder.link.window == defaults->forwarder.link.window);
  CHECK(installed->forwarder.link.patience == defaults->forwarder.link.patience);
  CHECK(installed->forwarder.link.timeout == defaults->forwarder.link.timeout);
  const std::string bare = without_comments(*text);
  CHECK(std::count(bare.begin(), bare.end(), '\n') == 23);
}

TEST_CASE("every fault is told at once, with its place and what is allowed") {
  const auto config = read(
      "name: a b\npublish: nowhere\nsidecar: remote\nlink: {window: 1}\nevent: {max-hops: 0}\n"
      "lgo: {}\n");
  REQUIRE_FALSE(config);
  const std::string& what = config.error().what;
  CAPTURE(what);
  for (const char* const part :
       {":1:7: name: ", ":2:10: ", ":3:10: ", "process", ":4:", ":5:", ":6:1: ", "rules"}) {
    CAPTURE(part);
    CHECK(what.find(part) != std::string::npos);
  }
}

TEST_CASE("an embedded sidecar needs its configuration") {
  CHECK_FALSE(read("{rules: r.yaml, sidecar: embedded}"));
  const auto config = read("{rules: r.yaml, sidecar: embedded, sidecar-config: ../s.yaml}");
  REQUIRE(config);
  CHECK(config->sidecar == BusConfig::Sidecar::Embedded);
}
