// SPDX-License-Identifier: Apache-2.0

#include "cli/endpoints.h"

#include <doctest/doctest.h>

#include <string>

using conga::cli::find_endpoints;
using conga::cli::read_endpoints;

TEST_CASE("what binds every interface is reached on this machine") {
  using conga::cli::connectable;
  CHECK(connectable("tcp://*:7461") == "tcp://127.0.0.1:7461");
  CHECK(connectable("tcp://0.0.0.0:7461") == "tcp://127.0.0.1:7461");
  CHECK(connectable("tcp://[::]:7461") == "tcp://[::1]:7461");
  CHECK(connectable("tcp://bus.example:7461") == "tcp://bus.example:7461");
  CHECK(connectable("ipc:///run/conga/publish") == "ipc:///run/conga/publish");
}

TEST_CASE("a bus's configuration says where it is, and what it does not say is the default") {
  const auto both =
      read_endpoints("publish: tcp://*:9001\nsubscribe: ipc:///run/s\nrules: x\n", "b.yaml");
  REQUIRE(both);
  CHECK(both->publish == "tcp://127.0.0.1:9001");
  CHECK(both->subscribe == "ipc:///run/s");
  const auto none = read_endpoints("", "b.yaml");
  REQUIRE(none);
  CHECK(none->publish == "tcp://127.0.0.1:7461");
  CHECK(none->subscribe == "tcp://127.0.0.1:7462");
}

TEST_CASE("a configuration that cannot be read is refused with its place") {
  const auto wrong = read_endpoints("publish: 7461\n", "b.yaml");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().what.starts_with("b.yaml:1:10: publish must be an endpoint"));
  CHECK_FALSE(read_endpoints("publish: [", "b.yaml"));
  CHECK_FALSE(find_endpoints({.config = "/nowhere/bus.yaml"}));
}

TEST_CASE("the command line comes before everything else") {
  const auto found = find_endpoints({.publish = "ipc:///p"});
  REQUIRE(found);
  CHECK(found->publish == "ipc:///p");
  CHECK(found->subscribe == "tcp://127.0.0.1:7462");
}
