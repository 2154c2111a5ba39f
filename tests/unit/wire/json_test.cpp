// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/json.h"

#include <doctest/doctest.h>

#include <string>

using conga::json_to_msgpack;
using conga::to_json;
using conga::Value;

namespace {

std::string through(std::string_view json) {
  const auto bytes = json_to_msgpack(json);
  return bytes ? to_json(Value::trusted(*bytes)) : "refused: " + bytes.error().what;
}

}  // namespace

TEST_CASE("JSON comes back as it went in") {
  for (const char* json : {"null",
                           "true",
                           "-1",
                           "18446744073709551615",
                           "-9223372036854775808",
                           "0.1",
                           "300.0",
                           R"("a\"b\\c\n\u0001é日😀")",
                           R"({"a":1,"a":2,"b":[[],{}]})",
                           "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]"}) {
    CHECK(through(json) == json);
  }
}

TEST_CASE("spellings become one value") {
  CHECK(through("3.0e2") == "300.0");
  CHECK(through(R"("\u00e9\ud83d\ude00\/")") == "\"é😀/\"");
  CHECK(through(" [ 1 , 2 ] ") == "[1,2]");
  CHECK(through("18446744073709551616") == "18446744073709551616.0");
  CHECK(through("123456789012345678901234567890") == "1.2345678901234568e+29");
}

TEST_CASE("broken JSON is refused with its place") {
  for (const char* json : {"",
                           "{",
                           "[1,]",
                           "{\"a\" 1}",
                           "{\"a\":1,}",
                           "nul",
                           "nulll",
                           "01",
                           "1.",
                           "--1",
                           "1 2",
                           "[1] x",
                           "\"\\ud800\"",
                           "\"\x01\"",
                           "\"\xff\"",
                           "[truefalse]",
                           "{1:2}"}) {
    CAPTURE(json);
    const auto bytes = json_to_msgpack(json);
    REQUIRE_FALSE(bytes);
    CHECK(bytes.error().code == "Malformed");
  }
  const auto bytes = json_to_msgpack("{\n  \"a\": [1, tru]\n}");
  REQUIRE_FALSE(bytes);
  CHECK(bytes.error().what.find("line 2") != std::string::npos);
}

TEST_CASE("limits hold for JSON too") {
  CHECK(json_to_msgpack(std::string(64, '[') + std::string(64, ']')));
  CHECK(json_to_msgpack(std::string(65, '[') + std::string(65, ']')).error().code == "TooDeep");
  CHECK(json_to_msgpack("\"0123456789\"", {.max_size = 10, .max_depth = 1}).error().code
        == "TooLarge");
}
