// SPDX-License-Identifier: Apache-2.0

#include "bus/client_names.h"

#include <doctest/doctest.h>

using conga::bus::ClientNames;
using namespace std::chrono_literals;

namespace {

conga::Time at(conga::Duration since_start) {
  return {conga::SteadyTime(1h + since_start), conga::WallTime(1000h + since_start)};
}

}  // namespace

TEST_CASE("a name belongs to the first process until its subscription ends") {
  ClientNames names(3s);
  CHECK(names.greet(at(0s), "a", 1));
  CHECK(names.greet(at(1s), "a", 1));
  CHECK_FALSE(names.greet(at(1s), "a", 2));
  CHECK(names.greet(at(1s), "b", 2));
  names.release("a");
  CHECK(names.greet(at(1s), "a", 2));
  CHECK(names.size() == 2);
}

TEST_CASE("a holder that was not heard of for a while may be succeeded") {
  ClientNames names(3s);
  CHECK(names.greet(at(0s), "a", 1));
  names.heard_of(at(2s), "a");
  CHECK_FALSE(names.greet(at(4s), "a", 2));
  CHECK(names.greet(at(5s), "a", 2));
  CHECK_FALSE(names.greet(at(5s), "a", 1));
}
