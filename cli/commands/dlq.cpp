// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/dlq.h"

#include "cli/event_text.h"
#include "cli/text.h"
#include "common/core/check.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

namespace conga::cli {
namespace {

constexpr std::size_t kToTheSecond = 19;  // Of a time by RFC 3339.

constexpr std::uint64_t kPage = 100;
constexpr std::uint64_t kAllLetters = 1'000'000;

bool has_filter(const DlqOptions& options) {
  return !options.numbers.empty() || !options.rule.empty() || !options.target.empty()
         || !options.event_id.empty() || !options.error_code.empty()
         || !options.correlation_id.empty();
}

std::string_view verb_of(DlqOptions::Action action) {
  switch (action) {
    case DlqOptions::Action::List:
    case DlqOptions::Action::Causes:
    case DlqOptions::Action::Export:
      return "dlq.list";
    case DlqOptions::Action::Show:
      return "dlq.show";
    case DlqOptions::Action::Redrive:
      return "dlq.redrive";
    case DlqOptions::Action::Tasks:
      return "dlq.tasks";
    case DlqOptions::Action::Cancel:
      return "dlq.cancel";
    case DlqOptions::Action::Purge:
      return "dlq.purge";
  }
  return "";
}

/// The filter's text fields by their names on the wire.
std::array<std::pair<std::string_view, std::string_view>, 5> text_filters(
    const DlqOptions& options) {
  return {{{"rule", options.rule},
           {"target", options.target},
           {"event-id", options.event_id},
           {"error-code", options.error_code},
           {"correlation-id", options.correlation_id}}};
}

/// What `show` prints above the event: a field's name on the wire is its name for people.
constexpr std::array<std::string_view, 15> kShown{"rule",
                                                  "target",
                                                  "service",
                                                  "event-id",
                                                  "source",
                                                  "detail-type",
                                                  "correlation-id",
                                                  "error-code",
                                                  "error-message",
                                                  "exhausted-retry-condition",
                                                  "retry-attempts",
                                                  "first-attempt",
                                                  "last-attempt",
                                                  "time",
                                                  "sequence"};

std::string shown_value(const Value& value) {
  const auto text = value.string();
  return printable(text ? *text : to_json(value));
}

}  // namespace

std::string fault_of(const DlqOptions& options) {
  const bool changes =
      options.action == DlqOptions::Action::Redrive || options.action == DlqOptions::Action::Purge;
  if (!changes) return "";
  const std::string name = options.action == DlqOptions::Action::Redrive ? "redrive" : "purge";
  if (options.all && has_filter(options)) {
    return "dlq " + name + ": --all and a filter contradict each other";
  }
  if (options.all || has_filter(options)) return "";
  return "dlq " + name
         + ": say which dead letters: numbers, a filter such as --rule, or --all "
           "(`conga dlq list` shows them)";
}

std::string purge_question(const DlqOptions& options) {
  std::string numbers;
  for (const std::uint64_t number : options.numbers) {
    numbers += (numbers.empty() ? "" : ", ") + std::to_string(number);
  }
  std::string which = numbers.empty() ? "" : " with number " + numbers;
  for (const auto& filter : text_filters(options)) {
    if (filter.second.empty()) continue;
    which += (which.empty() ? " with " : " and ") + std::string(filter.first) + " '"
             + std::string(filter.second) + "'";
  }
  return "Delete " + std::string(options.all ? "ALL dead letters" : "the dead letters") + which
         + " for good? [y/N] ";
}

namespace {

/// The members of a msgpack map, counted as they are added.
class Members {
public:
  Packer& add(std::string_view key) {
    ++count_;
    return packer_.key(key);
  }

  std::string map() const {
    std::string map;
    Packer(map).map(count_).raw(bytes_);
    return map;
  }

private:
  std::string bytes_;
  std::size_t count_ = 0;
  Packer packer_{bytes_};
};

/// Which dead letters are meant.
void add_choice(Members& members, const DlqOptions& options) {
  if (!options.numbers.empty()) {
    Packer& packer = members.add("numbers").array(options.numbers.size());
    for (const std::uint64_t number : options.numbers) packer.unsigned_integer(number);
  }
  for (const auto& filter : text_filters(options)) {
    if (!filter.second.empty()) members.add(filter.first).string(filter.second);
  }
  if (options.all) members.add("all").boolean(true);
}

}  // namespace

std::string dlq_arguments(const DlqOptions& options, std::uint64_t after, std::uint64_t limit) {
  Members members;
  add_choice(members, options);
  if (options.action == DlqOptions::Action::Export) members.add("events").boolean(true);
  if (after > 0) members.add("after").unsigned_integer(after);
  if (limit > 0) members.add("limit").unsigned_integer(limit);
  return members.map();
}

std::string redrive_arguments(const DlqOptions& options, const std::string& by) {
  Members members;
  add_choice(members, options);
  if (options.canaries > 0) members.add("canaries").unsigned_integer(options.canaries);
  if (options.rate > 0) members.add("rate").unsigned_integer(options.rate);
  if (!by.empty()) members.add("by").string(by);
  return members.map();
}

std::string purge_arguments(const DlqOptions& options, const std::string& by) {
  Members members;
  add_choice(members, options);
  if (!by.empty()) members.add("by").string(by);
  return members.map();
}

std::string list_letters(const std::vector<Value>& letters, const Look& look) {
  if (letters.empty()) return "";
  Table table(
      {"NUMBER", "TIME", "RULE", "TARGET", "DETAIL-TYPE", "CORRELATION-ID", "RETRIES", "ERROR"});
  for (const Value& letter : letters) {
    const std::string message = text_of(letter, "error-message");
    table.add({{.text = std::to_string(count_of(letter, "number")), .right = true},
               {.text = text_of(letter, "time").substr(0, 19), .colour = Colour::Dim},
               {.text = text_of(letter, "rule")},
               {.text = text_of(letter, "target")},
               {.text = text_of(letter, "detail-type"), .colour = Colour::Cyan},
               {.text = text_of(letter, "correlation-id")},
               {.text = std::to_string(count_of(letter, "retry-attempts")), .right = true},
               {.text = text_of(letter, "error-code") + (message.empty() ? "" : ": " + message),
                .colour = Colour::Red}});
  }
  return table.text(look);
}

namespace {

/// Dead letters that have error code, rule and target in common.
struct Cause {
  std::array<std::string, 3> key = {};  ///< Error code, rule, target.
  std::uint64_t count = 0;
  std::uint64_t example = 0;  ///< The newest's number.
  std::string oldest = {};
  std::string newest = {};
  std::string message = {};  ///< The newest's.
};

std::vector<Cause> causes_of(const std::vector<Value>& letters) {
  std::vector<Cause> causes;
  for (const Value& letter : letters) {
    const std::array<std::string, 3> key{
        text_of(letter, "error-code"), text_of(letter, "rule"), text_of(letter, "target")};
    auto cause = std::ranges::find(causes, key, &Cause::key);
    if (cause == causes.end()) cause = causes.insert(causes.end(), Cause{.key = key});
    ++cause->count;
    cause->newest = text_of(letter, "time");
    if (cause->oldest.empty()) cause->oldest = cause->newest;
    cause->example = count_of(letter, "number");
    cause->message = text_of(letter, "error-message");
  }
  std::ranges::stable_sort(causes, std::ranges::greater(), &Cause::count);
  return causes;
}

}  // namespace

std::string list_causes(const std::vector<Value>& letters, const Look& look) {
  const std::vector<Cause> causes = causes_of(letters);
  if (look.json) {
    std::string lines;
    for (const Cause& cause : causes) {
      std::string line;
      Packer packer(line);
      packer.map(8).key("error-code").string(cause.key[0]).key("rule").string(cause.key[1]);
      packer.key("target").string(cause.key[2]).key("count").unsigned_integer(cause.count);
      packer.key("oldest").string(cause.oldest).key("newest").string(cause.newest);
      packer.key("example").unsigned_integer(cause.example);
      packer.key("error-message").string(cause.message);
      lines += to_json(Value::trusted(line)) + "\n";
    }
    return lines;
  }
  Table table({"COUNT", "ERROR", "RULE", "TARGET", "OLDEST", "NEWEST", "EXAMPLE"});
  for (const Cause& cause : causes) {
    table.add({{.text = std::to_string(cause.count), .right = true},
               {.text = cause.key[0] + (cause.message.empty() ? "" : ": " + cause.message),
                .colour = Colour::Red},
               {.text = cause.key[1]},
               {.text = cause.key[2]},
               {.text = cause.oldest.substr(0, kToTheSecond), .colour = Colour::Dim},
               {.text = cause.newest.substr(0, kToTheSecond), .colour = Colour::Dim},
               {.text = std::to_string(cause.example), .right = true}});
  }
  return table.text(look);
}

namespace {

/// What the trace index knows of the tries, a line each.
std::string show_attempts(const Value& letter, const Look& look) {
  const auto attempts = letter.find("attempts");
  if (!attempts) return "";
  std::string out;
  for (const Value& attempt : attempts->elements()) {
    const std::string why = text_of(attempt, "code");
    const std::string message = text_of(attempt, "message");
    out += "    " + std::to_string(count_of(attempt, "attempt")) + "  "
           + paint(look, Colour::Dim, time_of_day(text_of(attempt, "sent"))) + "  "
           + text_of(attempt, "instance") + "  " + text_of(attempt, "outcome")
           + paint(look, Colour::Red, (why.empty() ? "" : "  " + why))
           + (message.empty() ? "" : ": " + message) + "\n";
  }
  return out.empty() ? "" : "  attempts\n" + out;
}

}  // namespace

std::string show_letter(const Value& letter, const Look& look) {
  std::string out =
      paint(look, Colour::Bold, "Dead letter " + std::to_string(count_of(letter, "number"))) + "\n";
  constexpr std::size_t kIndent = 28;
  for (const std::string_view name : kShown) {
    const auto value = letter.find(name);
    if (!value || value->is_null()) continue;
    const std::string shown = shown_value(*value);
    if (shown.empty()) continue;
    out += "  " + std::string(name) + std::string(kIndent - name.size(), ' ')
           + paint(look, name.starts_with("error") ? Colour::Red : Colour::Plain, shown) + "\n";
  }
  out += show_attempts(letter, look);
  const auto event = letter.find("event");
  if (!event) return out;
  return out + "  event\n" + indented(to_pretty_json(*event), 4);
}

Dlq::Dlq(ClientSettings settings, DlqOptions options, Screen& screen, Look look)
    : BusCommand(std::move(settings), screen), options_(std::move(options)), look_(look) {}

void Dlq::begin(const Time& now) {
  const bool all = options_.action == DlqOptions::Action::Causes
                   || options_.action == DlqOptions::Action::Export;
  if (all) options_.limit = kAllLetters;
  if (all || options_.action == DlqOptions::Action::List) {
    ask_page(now);
  } else if (options_.action == DlqOptions::Action::Purge) {
    ask(now, std::string(verb_of(options_.action)), purge_arguments(options_, settings().by));
  } else {
    ask(now, std::string(verb_of(options_.action)), dlq_arguments(options_, 0, 0));
  }
}

void Dlq::ask_page(const Time& now) {
  const std::uint64_t wanted = options_.limit - seen_;
  ask(now, "dlq.list", dlq_arguments(options_, after_, std::min(wanted, kPage)));
}

void Dlq::answered(const Time& now, const Answer& answer) {
  const Value result = Value::trusted(answer.result);
  switch (options_.action) {
    case DlqOptions::Action::List:
    case DlqOptions::Action::Causes:
    case DlqOptions::Action::Export:
      take_page(now, result);
      break;
    case DlqOptions::Action::Show:
      take_letter(result);
      break;
    case DlqOptions::Action::Purge:
      take_count(result);
      break;
    case DlqOptions::Action::Redrive:
    case DlqOptions::Action::Tasks:
    case DlqOptions::Action::Cancel:
      CONGA_CHECK(false, "redrives have commands of their own");
  }
}

void Dlq::take_page(const Time& now, const Value& result) {
  const std::uint64_t before = seen_;
  total_ = std::max(total_, count_of(result, "count"));
  for (const Value& letter : result.find("letters").value_or(Value()).elements()) {
    ++seen_;
    // There may be many, and large ones: they are not kept.
    if (options_.action == DlqOptions::Action::Export) {
      screen().print(to_json(letter) + "\n");
    } else {
      letters_.emplace_back(letter.bytes());
    }
    after_ = std::max(after_, count_of(letter, "number"));
  }
  const std::uint64_t got = seen_ - before;
  // A page may hold fewer than asked for because an answer has its limit in bytes.
  if (got == 0 || seen_ >= std::min(options_.limit, total_)) {
    end_list();
  } else {
    ask_page(now);
  }
}

void Dlq::end_list() {
  if (options_.action == DlqOptions::Action::Export) {
    screen().note(counted(seen_, "dead letter") + " exported\n");
    return finish(ExitCode::Done);
  }
  std::vector<Value> letters;
  letters.reserve(letters_.size());
  for (const std::string& bytes : letters_) letters.push_back(Value::trusted(bytes));
  if (options_.action == DlqOptions::Action::Causes && !letters.empty()) {
    screen().print(list_causes(letters, look_));
  } else if (look_.json) {
    for (const Value& letter : letters) screen().print(to_json(letter) + "\n");
  } else if (letters.empty()) {
    screen().note(has_filter(options_) ? "no such dead letters\n" : "no dead letters\n");
  } else {
    screen().print(list_letters(letters, look_));
    if (letters.size() >= options_.limit) {
      screen().note("the first " + std::to_string(letters.size()) + "; --limit shows more\n");
    }
  }
  finish(ExitCode::Done);
}

void Dlq::take_letter(const Value& result) {
  screen().print(look_.json ? to_json(result) + "\n" : show_letter(result, look_));
  finish(ExitCode::Done);
}

void Dlq::take_count(const Value& result) {
  const std::uint64_t count = count_of(result, "purged");
  if (look_.json) {
    screen().print(to_json(result) + "\n");
  } else {
    screen().print(counted(count, "dead letter") + " purged\n");
  }
  // A number that names nothing, or a filter that finds nothing, is more likely a slip than a wish.
  finish(count == 0 && !options_.all ? ExitCode::Refused : ExitCode::Done);
}

}  // namespace conga::cli
