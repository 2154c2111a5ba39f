// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/utf8.h"

#include <doctest/doctest.h>

#include <string>

TEST_CASE("one byte that is no UTF-8 is found wherever it is, in texts of every length") {
  for (std::size_t size = 0; size <= 80; ++size) {
    CAPTURE(size);
    const std::string text(size, 'a');
    CHECK(conga::is_ascii(text));
    CHECK(conga::is_utf8(text));
    for (std::size_t at = 0; at < size; ++at) {
      CAPTURE(at);
      std::string wrong = text;
      wrong[at] = '\xff';
      CHECK_FALSE(conga::is_ascii(wrong));
      CHECK_FALSE(conga::is_utf8(wrong));
    }
  }
}

TEST_CASE("characters of several bytes are UTF-8, and halves of them are not") {
  for (const std::string text : {"é", "aé", "ß straße", "日本語", "a😀b", "eight by\u00e9"}) {
    CAPTURE(text);
    CHECK_FALSE(conga::is_ascii(text));
    CHECK(conga::is_utf8(text));
  }
  CHECK_FALSE(conga::is_utf8("\xc3"));
  CHECK_FALSE(conga::is_utf8("a long text that ends early: \xf0\x9f\x98"));
}
