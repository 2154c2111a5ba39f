// SPDX-License-Identifier: Apache-2.0

#include "common/io/log_tail.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

using namespace conga;

namespace {

void append(LogTail& tail, std::string_view bytes) {
  std::memcpy(tail.extend(bytes.size()), bytes.data(), bytes.size());
}

}  // namespace

TEST_CASE("what was turned over stays where it is, and can be read, until the next time") {
  LogTail tail;
  tail.begin(100);
  append(tail, "abc");
  append(tail, "de");
  const char* const written = tail.fresh(100);
  CHECK(tail.fresh_size() == 5);
  tail.turn_over();
  CHECK(tail.fresh_size() == 0);
  append(tail, std::string(100'000, 'x'));
  CHECK(std::string_view(written, 5) == "abcde");
  CHECK(tail.from(100) == "abcde");
  CHECK(tail.from(103) == "de");
  CHECK(tail.from(105).size() == 100'000);
  CHECK(tail.from(100'104) == "x");

  tail.turn_over();
  append(tail, "f");
  CHECK(tail.from(104).empty());
  CHECK(tail.from(100'104) == "x");
  CHECK(tail.from(100'105) == "f");
}

TEST_CASE("nothing before the first byte or behind the last one is in memory") {
  LogTail tail;
  tail.begin(64);
  CHECK(tail.from(64).empty());
  append(tail, "abc");
  CHECK(tail.from(63).empty());
  CHECK(tail.from(67).empty());
  tail.begin(32);
  CHECK(tail.from(64).empty());
}
