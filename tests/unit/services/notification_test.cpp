// SPDX-License-Identifier: Apache-2.0

#include "services/notification/notification.h"

#include "services/notification/maildir.h"
#include "tests/unit/services/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

using namespace conga;
using namespace conga::contract;
using namespace conga::notification;
using conga::test::hand;
using conga::test::only;
using conga::test::trip;

namespace {

class FakeMailer final : public Mailer {
public:
  Result<> deliver(const std::string& key, const std::string& message, Attempt attempt) override {
    attempts.push_back(attempt);
    if (fault) return fail(*fault, "the mailbox does not exist", "NoMailbox");
    messages[key] = message;
    return {};
  }

  std::map<std::string, std::string> messages;
  std::vector<Attempt> attempts;
  std::optional<Fault> fault;
};

struct Office {
  Office() { REQUIRE(notification.migrate()); }

  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  FakeMailer mailer;
  Notification notification{*database, mailer, "bookings@airline.example"};
};

}  // namespace

TEST_CASE("each event that concerns a customer becomes one message") {
  Office office;
  const auto sent = only<NotificationSent>(
      hand(office.notification, PaymentConfirmed{.trip = trip("B1"), .payment_id = "p"}, "a"));
  CHECK(sent.about == "PaymentConfirmed");
  CHECK(sent.recipient == "ana@example.com");
  hand(office.notification, PaymentConfirmed{.trip = trip("B1"), .payment_id = "p"}, "a").value();
  CHECK(office.mailer.attempts == std::vector{Attempt::First});  // the store knew the repeat
  CHECK(office.mailer.messages.size() == 1);
  const std::string& message = office.mailer.messages.begin()->second;
  CHECK(message.find("To: ana@example.com\n") != std::string::npos);
  CHECK(message.find("123.00 EUR") != std::string::npos);
  CHECK(message.find("Message-ID: " + sent.message_id) != std::string::npos);
}

TEST_CASE("a mailbox that does not exist is a fact, one that is busy is retried") {
  Office office;
  office.mailer.fault = Fault::Permanent;
  const auto failed = only<NotificationFailed>(
      hand(office.notification, TicketIssued{.trip = trip("B1"), .tickets = {}}, "a"));
  CHECK(failed.reason == "the mailbox does not exist");
  office.mailer.fault = Fault::Transient;
  CHECK_FALSE(hand(office.notification, TicketIssued{.trip = trip("B1"), .tickets = {}}, "b"));
}

TEST_CASE("a try whose end nobody saw is made again, and says so") {
  Office office;
  const TicketIssued event{.trip = trip("B1"), .tickets = {}};
  office.mailer.fault = Fault::Transient;
  CHECK_FALSE(hand(office.notification, event, "a"));
  office.mailer.fault.reset();
  only<NotificationSent>(hand(office.notification, event, "a"));
  CHECK(office.mailer.attempts == std::vector{Attempt::First, Attempt::Again});
}

TEST_CASE("the HTML part shows the text, whatever is in it") {
  CHECK(html_page("<b>&\"\n").find("<p>\n&lt;b&gt;&amp;&quot;<br>\n</p>") != std::string::npos);
}

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
                        .body = "text"};
  const std::string text = to_text(message);
  CHECK(text.find("\nBcc:") == std::string::npos);
  CHECK(text.find("\nX-Bad:") == std::string::npos);
}

TEST_CASE("dates are written as RFC 5322 has them") {
  CHECK(rfc5322_date(*parse_rfc3339("2026-11-23T06:07:08Z")) == "Mon, 23 Nov 2026 06:07:08 +0000");
}

TEST_CASE("a repeat finds its message in the Maildir, read or not") {
  std::string name = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();
  const std::filesystem::path folder = mkdtemp(name.data());
  const auto maildir = Maildir::open(folder / "mail");
  REQUIRE(maildir);
  REQUIRE((*maildir)->deliver("key-1", "hello\n", Attempt::First));
  REQUIRE((*maildir)->deliver("key-1", "hello\n", Attempt::Again));
  CHECK(std::filesystem::exists(folder / "mail/new/key-1"));
  std::filesystem::rename(folder / "mail/new/key-1", folder / "mail/cur/key-1:2,S");
  REQUIRE((*maildir)->deliver("key-1", "hello\n", Attempt::Again));
  CHECK(std::filesystem::is_empty(folder / "mail/new"));
  CHECK(std::filesystem::is_empty(folder / "mail/tmp"));
  std::filesystem::remove_all(folder);
}
