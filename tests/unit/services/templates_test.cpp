// SPDX-License-Identifier: Apache-2.0

#include "services/notification/templates.h"

#include "common/config/config_reader.h"
#include "tests/unit/services/support.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace conga;
using namespace conga::contract;
using namespace conga::notification;
using conga::test::trip;

namespace {

Fields some_fields() {
  return {.values = {{"name", "<Ana & Co>"}, {"empty", ""}},
          .lists = {{"seats", {{{"seat", "12A"}}, {{"seat", "12B"}}}}}};
}

std::vector<std::string> faults_of(const std::string& text) {
  std::vector<TemplateFault> faults;
  const Template made(text, some_fields(), faults);
  std::vector<std::string> told;
  for (const TemplateFault& fault : faults) told.push_back(fault.what);
  return told;
}

std::string rendered(const std::string& text, Escape escape = Escape::None) {
  std::vector<TemplateFault> faults;
  const Template made(text, some_fields(), faults);
  CHECK(faults.empty());
  return made.render(some_fields(), escape);
}

/// The letter that `detail` is read as.
template <class T>
Letter letter_of(const T& detail) {
  Event event;
  event.id = Uuid::v5(Uuid(), "a");
  event.source = "test";
  event.detail_type = T::kType;
  event.detail = to_detail(detail);
  const std::string bytes = encode(event);
  const auto view = read_event(bytes);
  REQUIRE(view);
  return read_letter(*view).value();
}

Templates shipped() {
  return Templates::load(CONGA_TEMPLATES).value();
}

Words words_in(const std::string& language) {
  PaymentConfirmed event{.trip = trip("B1"), .payment_id = "p"};
  event.trip.language = language;
  return shipped().words_for(letter_of(event));
}

/// A copy of the shipped templates that a test may spoil.
class Copy {
public:
  Copy() : folder(mkdtemp(name_.data())) { std::filesystem::copy(CONGA_TEMPLATES, folder); }

  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  ~Copy() { std::filesystem::remove_all(folder); }

  void replace(const std::string& file, const std::string& old, const std::string& by) const {
    std::string text = read_text_file(folder / file).value();
    const std::size_t at = text.find(old);
    REQUIRE(at != std::string::npos);
    std::ofstream(folder / file) << text.replace(at, old.size(), by);
  }

  std::string fault() const {
    const auto loaded = Templates::load(folder);
    REQUIRE_FALSE(loaded);
    CHECK(loaded.error().code == "InvalidConfig");
    return loaded.error().what;
  }

private:
  std::string name_ = (std::filesystem::temp_directory_path() / "conga-XXXXXX").string();

public:
  std::filesystem::path folder;
};

}  // namespace

TEST_CASE("values are filled in, and escaped in HTML") {
  CHECK(rendered("Dear {{ name }}!") == "Dear <Ana & Co>!");
  CHECK(rendered("<b>{{name}}</b>", Escape::Html) == "<b>&lt;Ana &amp; Co&gt;</b>");
}

TEST_CASE("a section is repeated for each entry, and there only if there is something") {
  CHECK(rendered("{{#seats}} {{seat}}{{/seats}}.") == " 12A 12B.");
  CHECK(rendered("{{#seats}}{{seat}} of {{name}};{{/seats}}", Escape::Html)
        == "12A of &lt;Ana &amp; Co&gt;;12B of &lt;Ana &amp; Co&gt;;");
  CHECK(rendered("{{#name}}x{{/name}}{{#empty}}y{{/empty}}") == "x");
  CHECK(rendered("{{#name}}{{#seats}}{{seat}}{{/seats}}{{/name}}") == "12A12B");
}

TEST_CASE("a section's tag that is alone on its line leaves no line behind") {
  CHECK(rendered("a\n  {{#seats}}\n  {{seat}}\n  {{/seats}}\nb\n") == "a\n  12A\n  12B\nb\n");
  CHECK(rendered("{{#name}}\nx\n{{/name}}\n") == "x\n");
}

TEST_CASE("every slip in a template is told") {
  CHECK(faults_of("{{nam}} {{seet}}")
        == std::vector<std::string>{"unknown placeholder {{nam}}, did you mean name?",
                                    "unknown placeholder {{seet}}, did you mean seats?"});
  CHECK(faults_of("{{whatever}}")
        == std::vector<std::string>{
            "unknown placeholder {{whatever}}. Here are known: empty, name, seats"});
  CHECK(faults_of("{{seat}}").size() == 1);  // known within {{#seats}} only
  CHECK(faults_of("{{seats}}")
        == std::vector<std::string>{"{{seats}} is a list: write {{#seats}} … {{/seats}}"});
  CHECK(faults_of("{{#seats}}x") == std::vector<std::string>{"{{#seats}} has no {{/seats}}"});
  CHECK(faults_of("x{{/name}}")
        == std::vector<std::string>{"{{/name}} closes nothing that is open here"});
  CHECK(faults_of("a {{name") == std::vector<std::string>{"{{ has no }}"});
  CHECK(faults_of("{{}}").size() == 1);
}

TEST_CASE("money has the decimals of its currency") {
  CHECK(money({.amount = 123456, .currency = "EUR"}, ".") == "1234.56 EUR");
  CHECK(money({.amount = 123456, .currency = "EUR"}, ",") == "1234,56 EUR");
  CHECK(money({.amount = 5, .currency = "EUR"}, ".") == "0.05 EUR");
  CHECK(money({.amount = -5, .currency = "EUR"}, ".") == "-0.05 EUR");
  CHECK(money({.amount = 12000, .currency = "JPY"}, ".") == "12000 JPY");
  CHECK(money({.amount = 1500, .currency = "KWD"}, ".") == "1.500 KWD");
}

TEST_CASE("a recipient is addressed in the nearest language there is") {
  CHECK(words_in("").language == "en");
  CHECK(words_in("de").language == "de");
  CHECK(words_in("de-CH-1996").language == "de");
  CHECK(words_in("DE-at").language == "de");
  CHECK(words_in("fr-CA").language == "en");
  CHECK(words_in("de").subject == "Zahlung für LH123 erhalten");
  CHECK(words_in("de").text.find("123,00 EUR") != std::string::npos);
  CHECK(words_in("en").html.find("<b>123.00 EUR</b>") != std::string::npos);
}

TEST_CASE("a name cannot become markup") {
  BookingCancelled event{.trip = trip("B1"), .reason = "<script>alert(1)</script>"};
  event.trip.passengers.front().name = "Ana <b> & Co";
  const Words words = shipped().words_for(letter_of(event));
  CHECK(words.html.find("<script>") == std::string::npos);
  CHECK(words.html.find("Ana &lt;b&gt; &amp; Co") != std::string::npos);
  CHECK(words.text.find("Ana <b> & Co") != std::string::npos);
}

TEST_CASE("whatever a value holds, HTML has the markup of its template only") {
  CHECK(rc::check([](const std::string& value) {
    std::vector<TemplateFault> faults;
    const Fields fields{.values = {{"name", value}}, .lists = {}};
    const Template page("<p title=\"{{name}}\">{{name}}</p>", fields, faults);
    const std::string html = page.render(fields, Escape::Html);
    RC_ASSERT(faults.empty());
    RC_ASSERT(std::ranges::count(html, '<') == 2);
    RC_ASSERT(std::ranges::count(html, '>') == 2);
    RC_ASSERT(std::ranges::count(html, '"') == 2);
  }));
}

TEST_CASE("any text is a template or is told what is wrong with it") {
  CHECK(rc::check([] {
    const auto parts = *rc::gen::container<std::vector<std::string>>(rc::gen::element<std::string>(
        "{{", "}}", "#", "/", "name", "seats", "seat", " ", "\n", "x"));
    std::string text;
    for (const std::string& part : parts) text += part;
    std::vector<TemplateFault> faults;
    const Template made(text, some_fields(), faults);
    const std::string out = made.render(some_fields(), Escape::None);
    for (const TemplateFault& fault : faults) RC_ASSERT(text.find(fault.near) != std::string::npos);
    if (text.find("{{") == std::string::npos) RC_ASSERT(out == text);
  }));
}

TEST_CASE("seats and tickets are listed one a line") {
  const SeatAssigned event{
      .trip = trip("B1", 2),
      .seats = {{.passenger = "Ana", .seat = "12A"}, {.passenger = "Bo", .seat = "12B"}}};
  const Words words = shipped().words_for(letter_of(event));
  CHECK(words.text.find("reserved:\n  Ana: 12A\n  Bo: 12B\n") != std::string::npos);
  CHECK(words.sms.find("your seats: 12A 12B.") != std::string::npos);
}

TEST_CASE("an event's own receipt is sent as it is") {
  const TicketIssued event{
      .trip = trip("B1"), .tickets = {}, .receipt = {.text = "RECEIPT", .html = "<p>RECEIPT"}};
  const Words words = shipped().words_for(letter_of(event));
  CHECK(words.text == "RECEIPT");
  CHECK(words.html == "<p>RECEIPT");
  CHECK(words.subject == "Your tickets for LH123");
}

TEST_CASE("a slip in a language's file is told with its place") {
  const Copy copy;
  copy.replace("de.yaml", "wir haben Ihre Zahlung über {{fare}}", "wir haben {{fair}}");
  copy.replace("en.yaml", "subject: Refund for {{flight}}", "subjekt: Refund");
  const std::string fault = copy.fault();
  CHECK(fault.find("de.yaml:29:17: unknown placeholder {{fair}}, did you mean fare?")
        != std::string::npos);
  CHECK(fault.find("messages.PaymentRefunded.subject: is missing") != std::string::npos);
  CHECK(fault.find("messages.PaymentRefunded.subjekt: unknown key, did you mean subject?")
        != std::string::npos);
}

TEST_CASE("an event without words in a language is a fault, and so is no English") {
  const Copy copy;
  copy.replace("de.yaml", "  BookingExpired:", "  BookingEnded:");
  CHECK(copy.fault().find("messages.BookingExpired.text: is missing") != std::string::npos);
  std::filesystem::remove(copy.folder / "en.yaml");
  std::filesystem::remove(copy.folder / "de.yaml");
  CHECK(copy.fault().find("en.yaml is not there") != std::string::npos);
}
