// SPDX-License-Identifier: Apache-2.0

#include "services/notification/notification.h"

#include "services/notification/maildir.h"
#include "services/notification/sms_folder.h"
#include "tests/unit/services/support.h"

#include <doctest/doctest.h>

#include <array>
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

class FakeCarrier final : public Carrier {
public:
  Result<> deliver(const Parcel& parcel) override {
    attempts.push_back(parcel.attempt);
    if (fault) return fail(*fault, "the mailbox does not exist", "NoMailbox");
    contents[parcel.key] = parcel.content;
    return {};
  }

  std::map<std::string, std::string> contents;
  std::vector<Attempt> attempts;
  std::optional<Fault> fault;
};

const Templates& templates() {
  static const Templates kTemplates = Templates::load(CONGA_TEMPLATES).value();
  return kTemplates;
}

struct Desk {
  Desk() { REQUIRE(notification.migrate()); }

  std::unique_ptr<kit::Database> database = kit::Database::in_memory();
  FakeCarrier email;
  FakeCarrier sms;
  Notification notification{*database,
                            {.templates = templates(),
                             .email = email,
                             .sms = sms,
                             .from = "bookings@airline.example",
                             .opt_outs = {{.recipient = "BOB@example.com", .channel = "email"}}}};
};

Trip trip_with_phone() {
  Trip with_phone = trip("B1");
  with_phone.phone = "+4915112345678";
  return with_phone;
}

TicketIssued ticketed(Trip of) {
  return {.trip = std::move(of), .tickets = {}};
}

/// A folder that goes with the test.
struct Folder {
  Folder() : path(mkdtemp(name.data())) {}

  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  ~Folder() { std::filesystem::remove_all(path); }

  std::string name = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("each event that concerns a customer becomes one message") {
  Desk desk;
  const PaymentConfirmed event{.trip = trip("B1"), .payment_id = "p"};
  const auto sent = only<NotificationSent>(hand(desk.notification, event, "a"));
  CHECK(sent.about == "PaymentConfirmed");
  CHECK(sent.recipient == "ana@example.com");
  CHECK(sent.channel == "email");
  only<NotificationSent>(hand(desk.notification, event, "a"));
  CHECK(desk.email.attempts == std::vector{Attempt::First});  // the store knew the repeat
  REQUIRE(desk.email.contents.size() == 1);
  const std::string& message = desk.email.contents.begin()->second;
  CHECK(message.find("To: ana@example.com\n") != std::string::npos);
  CHECK(message.find("123.00 EUR") != std::string::npos);
  CHECK(message.find("Message-ID: " + sent.message_id) != std::string::npos);
  CHECK(desk.sms.attempts.empty());
}

TEST_CASE("who gave a phone too is told twice, and the bus of both") {
  Desk desk;
  const auto facts = hand(desk.notification, ticketed(trip_with_phone()), "a");
  REQUIRE(facts);
  REQUIRE(facts->size() == 2);
  const auto sms = from_detail<NotificationSent>(Value::trusted(facts->back().detail));
  REQUIRE(sms);
  CHECK(sms->channel == "sms");
  CHECK(sms->recipient == "+4915112345678");
  CHECK(desk.sms.contents.at(sms->message_id).find("LH123: your tickets") == 0);
}

TEST_CASE("a mailbox that does not exist is a fact, one that is busy is retried") {
  Desk desk;
  desk.email.fault = Fault::Permanent;
  const auto failed = only<NotificationFailed>(hand(desk.notification, ticketed(trip("B1")), "a"));
  CHECK(failed.reason == "the mailbox does not exist");
  CHECK(failed.channel == "email");
  desk.email.fault = Fault::Transient;
  const auto later = hand(desk.notification, ticketed(trip("B1")), "b");
  REQUIRE_FALSE(later);
  CHECK(later.error().fault == Fault::Transient);
  CHECK(later.error().what == "email: the mailbox does not exist");
  CHECK(later.error().code == "NoMailbox");
  const auto row = desk.database->one("SELECT reason FROM notifications WHERE outcome = 'sending'");
  REQUIRE(row);
  CHECK((*row)->text(0) == "the mailbox does not exist");
}

TEST_CASE("a try whose end nobody saw is made again, and says so") {
  Desk desk;
  desk.email.fault = Fault::Transient;
  CHECK_FALSE(hand(desk.notification, ticketed(trip("B1")), "a"));
  desk.email.fault.reset();
  only<NotificationSent>(hand(desk.notification, ticketed(trip("B1")), "a"));
  CHECK(desk.email.attempts == std::vector{Attempt::First, Attempt::Again});
}

TEST_CASE("a channel that is out of order holds up no other, and alone is tried again") {
  Desk desk;
  desk.email.fault = Fault::Transient;
  CHECK_FALSE(hand(desk.notification, ticketed(trip_with_phone()), "a"));
  CHECK(desk.sms.contents.size() == 1);
  desk.email.fault.reset();
  const auto facts = hand(desk.notification, ticketed(trip_with_phone()), "a");
  REQUIRE(facts);
  CHECK(facts->size() == 2);
  CHECK(desk.sms.attempts == std::vector{Attempt::First});
  CHECK(desk.email.attempts == std::vector{Attempt::First, Attempt::Again});
}

TEST_CASE("who has opted out of a channel hears nothing on it, and nobody of that") {
  Desk desk;
  Trip bob = trip_with_phone();
  bob.email = "bob@example.com";
  const auto sent = only<NotificationSent>(hand(desk.notification, ticketed(bob), "a"));
  CHECK(sent.channel == "sms");
  REQUIRE(desk.database->run("INSERT INTO opt_outs VALUES('+4915112345678', 'sms')"));
  const auto facts = hand(desk.notification, ticketed(bob), "b");
  REQUIRE(facts);
  CHECK(facts->empty());
  CHECK(desk.email.attempts.empty());
  CHECK(desk.sms.attempts.size() == 1);
}

TEST_CASE("who opts out while a message waits is not sent it") {
  Desk desk;
  desk.email.fault = Fault::Transient;
  CHECK_FALSE(hand(desk.notification, ticketed(trip("B1")), "a"));
  REQUIRE(desk.database->run("INSERT INTO opt_outs VALUES('Ana@Example.com', 'email')"));
  const auto facts = hand(desk.notification, ticketed(trip("B1")), "a");
  REQUIRE(facts);
  CHECK(facts->empty());
  CHECK(desk.email.attempts.size() == 1);
}

TEST_CASE("a database of the first version is brought up to date") {
  auto database = kit::Database::in_memory();
  constexpr std::array<std::string_view, 1> kFirst{
      "CREATE TABLE notifications(event_id TEXT PRIMARY KEY, booking_id TEXT NOT NULL,"
      " about TEXT NOT NULL, recipient TEXT NOT NULL, outcome TEXT NOT NULL,"
      " at INTEGER NOT NULL) STRICT;"};
  REQUIRE(database->migrate("notification", kFirst));
  REQUIRE(
      database->run("INSERT INTO notifications VALUES('1', 'B', 'T', 'r', 'sent', 1),"
                    " ('2', 'B', 'T', 'r', 'sending', 1), ('3', 'B', 'T', 'r', 'gone', 1)"));
  FakeCarrier carrier;
  Notification notification(*database,
                            {.templates = templates(),
                             .email = carrier,
                             .sms = carrier,
                             .from = "bookings@airline.example"});
  REQUIRE(notification.migrate());
  const auto rows = database->all(
      "SELECT outcome, reason FROM notifications WHERE channel = 'email'"
      " ORDER BY event_id");
  REQUIRE(rows);
  REQUIRE(rows->size() == 3);
  CHECK((*rows)[0].text(0) == "sent");
  CHECK((*rows)[1].text(0) == "sending");
  CHECK((*rows)[2].text(0) == "failed");
  CHECK((*rows)[2].text(1) == "gone");
}

TEST_CASE("a repeat finds its message in the Maildir, read or not") {
  const Folder folder;
  const auto maildir = Maildir::open(folder.path / "mail");
  REQUIRE(maildir);
  Parcel parcel{.key = "key-1", .to = "ana@example.com", .content = "hello\n"};
  REQUIRE((*maildir)->deliver(parcel));
  parcel.attempt = Attempt::Again;
  REQUIRE((*maildir)->deliver(parcel));
  CHECK(std::filesystem::exists(folder.path / "mail/new/key-1"));
  std::filesystem::rename(folder.path / "mail/new/key-1", folder.path / "mail/cur/key-1:2,S");
  REQUIRE((*maildir)->deliver(parcel));
  CHECK(std::filesystem::is_empty(folder.path / "mail/new"));
  CHECK(std::filesystem::is_empty(folder.path / "mail/tmp"));
}

TEST_CASE("a text message is a file with its number and text, repeated or not") {
  const Folder folder;
  const auto sms = SmsFolder::open(folder.path / "sms");
  REQUIRE(sms);
  for (const Attempt attempt : {Attempt::First, Attempt::Again}) {
    REQUIRE((*sms)->deliver(
        {.key = "key-1", .to = "+491511234", .content = "Grüße", .attempt = attempt}));
  }
  std::ostringstream text;
  text << std::ifstream(folder.path / "sms/key-1.txt").rdbuf();
  CHECK(text.str() == "To: +491511234\n\nGrüße\n");
  const std::filesystem::directory_iterator files(folder.path / "sms");
  CHECK(std::distance(begin(files), end(files)) == 1);
}

TEST_CASE("notification handles all that its manifest says it consumes") {
  Desk it;
  test::check_manifest(it.notification);
}
