// SPDX-License-Identifier: Apache-2.0
//
// Matching does not allocate: counts every `operator new` of this executable, which is why these
// tests have one of their own. malloc() of simdjson and the library is not counted; simdjson uses
// new[], which is.

#include "bus/rules/matcher.h"
#include "common/wire/event/json.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

namespace {

std::size_t& allocations() {
  static std::size_t count = 0;
  return count;
}

void* counted(std::size_t size) {
  ++allocations();
  // NOLINTNEXTLINE(cppcoreguidelines-no-malloc): what operator new is made of.
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
  return counted(size);
}

void* operator new[](std::size_t size) {
  return counted(size);
}

void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return counted(size);
}

void* operator new[](std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return counted(size);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, std::size_t /*size*/) noexcept {
  std::free(memory);
}

namespace {

using conga::Value;
using conga::bus::Matcher;
using conga::bus::Pattern;

/// One rule per kind of condition, `$or` and array consistency among them.
std::vector<Pattern> rules() {
  std::vector<Pattern> parsed;
  for (
      const char* const json :
      {R"({"source":["shop"],"detail":{"items":{"sku":["A7"],"count":[{"numeric":[">",1]}]}}})",
       R"({"detail":{"name":[{"prefix":"An"},{"suffix":"na"},{"equals-ignore-case":"bEN"}]}})",
       R"({"detail":{"name":[{"wildcard":"A*a"},{"anything-but":["x","y"]}],"gone":[{"exists":false}]}})",
       R"({"detail":{"ip":[{"cidr":"10.0.0.0/8"}],"total":[{"numeric":[">=",1,"<",9.5]}]}})",
       R"({"$or":[{"source":["shop"]},{"detail":{"items":{"sku":[{"exists":false}]}}}]})",
       R"({"detail":{"name":[{"equals-ignore-case":"stra\u00dfe"}],"ok":[true,null,3]}})"}) {
    auto pattern = Pattern::parse_json(json);
    REQUIRE(pattern.has_value());
    parsed.push_back(std::move(*pattern));
  }
  return parsed;
}

std::vector<std::string> events() {
  return {
      R"({"source":"shop","detail":{"items":[{"sku":"A7","count":1},{"sku":"A7","count":2}]}})",
      R"({"source":"web","detail":{"name":"Anna","ip":"10.1.2.3","total":4.25,"ok":true}})",
      R"({"source":"web","detail":{"name":"Stra\u00dfe","items":[],"total":12,"ok":null}})",
  };
}

}  // namespace

TEST_CASE("after warm-up matching does not allocate, neither from msgpack nor from JSON") {
  const Matcher matcher = Matcher::compile(rules());
  const std::vector<std::string> json = events();
  std::vector<std::string> packed;
  for (const std::string& event : json) packed.push_back(*conga::json_to_msgpack(event));
  Matcher::Scratch scratch;
  std::vector<Matcher::RuleIndex> matches;
  std::size_t matched = 0;
  const auto pass = [&] {
    for (std::size_t event = 0; event < json.size(); ++event) {
      matcher.match(Value::trusted(packed[event]), scratch, matches);
      matched += matches.size();
      if (!matcher.match_json(json[event], scratch, matches)) return;
      matched += matches.size();
    }
  };
  pass();
  pass();
  const std::size_t warm = matched;
  const std::size_t before = allocations();
  for (int round = 0; round < 100; ++round) pass();
  CHECK(allocations() == before);
  CHECK(before > 0);
  CHECK(warm > 0);
  CHECK(matched == 51 * warm);
}
