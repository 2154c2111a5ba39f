// SPDX-License-Identifier: Apache-2.0

#include "common/io/crc32c.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

using conga::crc32c;
using conga::crc32c_by_table;

TEST_CASE("crc32c gives the values of RFC 3720, by instruction and by table") {
  std::string ascending(32, '\0');
  std::string descending(32, '\0');
  for (std::size_t index = 0; index < 32; ++index) {
    ascending[index] = static_cast<char>(index);
    descending[index] = static_cast<char>(31 - index);
  }
  for (const auto function : {crc32c, crc32c_by_table}) {
    CHECK(function("", 0) == 0);
    CHECK(function("123456789", 0) == 0xe3069283U);
    CHECK(function(std::string(32, '\0'), 0) == 0x8a9136aaU);
    CHECK(function(std::string(32, '\xff'), 0) == 0x62a8ab43U);
    CHECK(function(ascending, 0) == 0x46dd794eU);
    CHECK(function(descending, 0) == 0x113fdb5cU);
  }
}

TEST_CASE("crc32c can be computed in pieces, and the table agrees with the instruction") {
  CHECK(rc::check([](const std::string& one, const std::string& two) {
    RC_ASSERT(crc32c(one + two) == crc32c(two, crc32c(one)));
    RC_ASSERT(crc32c(one) == crc32c_by_table(one));
  }));
}
