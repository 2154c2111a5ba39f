// SPDX-License-Identifier: Apache-2.0

#include "services/notification/message.h"

#include "services/notification/sms_gateway.h"
#include "services/notification/smtp_mailer.h"

#include <doctest/doctest.h>

#include <sstream>
#include <string>

using namespace conga;
using namespace conga::notification;

TEST_CASE("text beyond ASCII and long lines are encoded as RFC 2045 and 2047 ask") {
  CHECK(quoted_printable("a=b é \n") == "a=3Db =C3=A9=20\n");
  const std::string wrapped = quoted_printable(std::string(200, 'x'));
  std::istringstream lines(wrapped);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 76);
  CHECK(header("Subject", "plain text") == "Subject: plain text");
  CHECK(header("Subject", "Für Ana") == "Subject: =?UTF-8?Q?F=C3=BCr_Ana?=");
  for (const std::string& text : {"ü" + std::string(200, 'x'), std::string(200, 'x')}) {
    std::istringstream words(header("Subject", text));
    for (std::string line; std::getline(words, line);) CHECK(line.size() <= 76);
  }
}

TEST_CASE("a subject cannot break out of its header") {
  const Message message{.from = "a@b.c",
                        .to = "x@y.z\nBcc: all@y.z",
                        .subject = "Hi\nX-Bad: 1",
                        .message_id = "<1@x>",
                        .date = {},
                        .language = "en",
                        .text = "text",
                        .html = "<p>text</p>"};
  const std::string text = to_text(message);
  CHECK(text.find("\nBcc:") == std::string::npos);
  CHECK(text.find("\nX-Bad:") == std::string::npos);
}

TEST_CASE("dates are written as RFC 5322 has them") {
  CHECK(rfc5322_date(*parse_rfc3339("2026-11-23T06:07:08Z")) == "Mon, 23 Nov 2026 06:07:08 +0000");
}

TEST_CASE("what a phone shows without Unicode is known") {
  CHECK(is_gsm7("LH123: Ihre Plätze: 12A, 5 €"));
  CHECK(is_gsm7(""));
  CHECK_FALSE(is_gsm7("Dvořák"));
  CHECK_FALSE(is_gsm7("航空券"));
  CHECK_FALSE(is_gsm7("„Anführung“"));
}

TEST_CASE("a mail address is one that ends neither a command nor a header") {
  CHECK(is_mail_address("ana@example.com"));
  for (const char* wrong :
       {"", "ana", "@example.com", "ana@", "a b@c", "a@b\r\nRCPT TO:c@d", "<a@b>"}) {
    CHECK_FALSE(is_mail_address(wrong));
  }
}

TEST_CASE("what a server said is one line of ASCII") {
  CHECK(server_words("550 5.1.1 no such user\r\nmore") == "550 5.1.1 no such user");
  CHECK(server_words("552 Postfach \xfc"
                     "berf\xc3\xbcllt")
        == "552 Postfach ?berf??llt");
  CHECK(server_words(std::string(5000, 'x')).size() == 300);
}
