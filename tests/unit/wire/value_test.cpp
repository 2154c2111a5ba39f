// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/value.h"

#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <doctest/doctest.h>
#include <msgpack.hpp>
#include <rapidcheck.h>

#include <limits>
#include <string>
#include <vector>

using conga::Packer;
using conga::Value;
using namespace std::string_literals;

namespace {

/// A random msgpack object within JSON's types; `depth` bounds its nesting.
void pack_any(Packer& packer, int depth) {
  const int kind = *rc::gen::inRange(0, depth > 0 ? 8 : 6);
  switch (kind) {
    case 0:
      packer.null();
      break;
    case 1:
      packer.boolean(*rc::gen::arbitrary<bool>());
      break;
    case 2:
      packer.integer(*rc::gen::arbitrary<std::int64_t>());
      break;
    case 3:
      packer.unsigned_integer(*rc::gen::arbitrary<std::uint64_t>());
      break;
    case 4:
      packer.number(*rc::gen::arbitrary<double>());
      break;
    case 5:
      packer.string(*rc::gen::container<std::string>(rc::gen::inRange<char>(0, 127)));
      break;
    case 6: {
      const auto size = *rc::gen::inRange<std::size_t>(0, 20);
      packer.array(size);
      for (std::size_t at = 0; at < size; ++at) pack_any(packer, depth - 1);
      break;
    }
    default: {
      const auto size = *rc::gen::inRange<std::size_t>(0, 20);
      packer.map(size);
      for (std::size_t at = 0; at < size; ++at) {
        packer.key("k" + std::to_string(at));
        pack_any(packer, depth - 1);
      }
      break;
    }
  }
}

std::string any_object() {
  std::string bytes;
  Packer packer(bytes);
  pack_any(packer, 4);
  return bytes;
}

}  // namespace

TEST_CASE("integers of 64 bits are read exactly, and none that do not fit") {
  for (const std::int64_t number : {std::numeric_limits<std::int64_t>::min(),
                                    std::int64_t{-129},
                                    std::int64_t{-128},
                                    std::int64_t{-32},
                                    std::int64_t{-1},
                                    std::int64_t{0},
                                    std::int64_t{127},
                                    std::int64_t{128},
                                    std::int64_t{65536},
                                    std::numeric_limits<std::int64_t>::max()}) {
    std::string bytes;
    Packer(bytes).integer(number);
    const auto value = Value::parse(bytes);
    REQUIRE(value);
    CHECK(value->int64() == number);
    CHECK(value->uint64().has_value() == (number >= 0));
  }
  std::string bytes;
  Packer(bytes).unsigned_integer(std::numeric_limits<std::uint64_t>::max());
  const auto value = Value::parse(bytes);
  REQUIRE(value);
  CHECK_FALSE(value->int64());
  CHECK(value->uint64() == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("members are found by path") {
  const auto bytes = conga::json_to_msgpack(R"({"a":{"b":[1,{"c":"x"}]},"d":null})");
  REQUIRE(bytes);
  const auto value = Value::parse(*bytes);
  REQUIRE(value);
  CHECK(value->at({"a", "b"})->size() == 2);
  CHECK(value->at({"d"})->is_null());
  CHECK_FALSE(value->at({"a", "x", "y"}));
  CHECK_FALSE(value->at({"d", "e"}));
}

TEST_CASE("what has no JSON form is refused") {
  for (const std::string& bytes : {"\xc1"s,                  // reserved
                                   "\xc4\x01x"s,             // bin
                                   "\xd4\x01x"s,             // ext
                                   "\xa2\xff\xfe"s,          // not UTF-8
                                   "\x81\x01\x02"s,          // a key that is a number
                                   "\x92\x01"s,              // cut short
                                   "\xdf\xff\xff\xff\xff"s,  // a length that cannot be true
                                   "\x01\x02"s,              // left over
                                   ""s}) {
    const auto value = Value::parse(bytes);
    REQUIRE_FALSE(value);
    CHECK(value.error().code == "Malformed");
  }
}

TEST_CASE("limits on size and depth are kept to the byte and to the level") {
  const std::string text = "\xa5hello";
  CHECK(Value::parse(text, {.max_size = 6, .max_depth = 0}));
  CHECK(Value::parse(text, {.max_size = 5, .max_depth = 0}).error().code == "TooLarge");
  const std::string nested = std::string(64, '\x91') + '\x01';
  CHECK(Value::parse(nested));
  CHECK(Value::parse('\x91' + nested).error().code == "TooDeep");
}

TEST_CASE("property: an object is as large as msgpack's own reader says, cut short it is refused") {
  CHECK(rc::check([] {
    const std::string bytes = any_object();
    std::size_t size = 0;
    msgpack::unpack(bytes.data(), bytes.size(), size);
    const auto value = Value::parse(bytes);
    RC_ASSERT(value.has_value());
    RC_ASSERT(value->bytes().size() == size);
    const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size());
    RC_ASSERT(!Value::parse(std::string_view(bytes).substr(0, cut)));
  }));
}

TEST_CASE("property: arbitrary bytes are read or refused as msgpack's own reader reads them") {
  CHECK(rc::check([] {
    const auto bytes = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
    std::string_view rest = bytes;
    const auto value = Value::take(rest);
    if (!value) return;
    std::size_t size = 0;
    msgpack::unpack(bytes.data(), bytes.size(), size);
    RC_ASSERT(bytes.size() - rest.size() == size);
  }));
}

TEST_CASE("property: JSON and back gives the same bytes, numbers included") {
  CHECK(rc::check([] {
    const std::string bytes = any_object();
    const auto value = Value::parse(bytes);
    RC_ASSERT(value.has_value());
    const auto again = conga::json_to_msgpack(conga::to_json(*value));
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == bytes);
    const auto pretty = conga::json_to_msgpack(conga::to_pretty_json(*value));
    RC_ASSERT(pretty.has_value());
    RC_ASSERT(*pretty == bytes);
  }));
}
