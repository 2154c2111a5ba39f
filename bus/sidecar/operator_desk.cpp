// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/operator_desk.h"

#include "bus/sidecar/answers.h"
#include "bus/sidecar/ask_arguments.h"
#include "bus/sidecar/reasons.h"
#include "common/wire/event/json.h"

#include <algorithm>
#include <utility>

namespace conga::bus {
namespace {

constexpr std::size_t kMostTraced = 1000;
constexpr std::size_t kVerbShown = 100;

std::string as_json(const std::string& msgpack) {
  return to_json(Value::trusted(msgpack));
}

}  // namespace

OperatorDesk::OperatorDesk(OperatorStores stores,
                           DeliveryEngine& engine,
                           RedriveTasks::Redrive redrive,
                           Purges::Reply reply,
                           Log& log)
    : stores_(stores),
      engine_(engine),
      reply_(reply),
      log_(log),
      purges_(stores.letters, std::move(reply)),
      redrives_(stores.letters, std::move(redrive), [this](const RedriveTask& task) {
        on_task_ended(task);
      }) {}

void OperatorDesk::ask(const Time& now,
                       const std::string& client,
                       const AskView& ask,
                       bool has_table) {
  now_ = now;
  if (ask.verb == "dlq.purge") return purge(now, client, ask);
  const auto answered = answer(now, client, ask, has_table);
  std::string body;
  if (answered) {
    append_answer(body, ask.request, *answered);
  } else {
    append_refusal(body, ask.request, answered.error().code, answered.error().what);
  }
  reply_(client, body);
}

Result<std::string> OperatorDesk::answer(const Time& now,
                                         const std::string& client,
                                         const AskView& ask,
                                         bool has_table) {
  if (ask.verb == "dlq.list") return list(ask.arguments);
  if (ask.verb == "dlq.show") return show(ask.arguments);
  if (ask.verb == "dlq.redrive") return redrive(now, client, ask);
  if (ask.verb == "dlq.tasks") return tasks(ask.arguments);
  if (ask.verb == "dlq.cancel") return cancel(now, client, ask);
  if (ask.verb == "target.pause" || ask.verb == "target.resume") {
    return pause(now, client, ask, has_table);
  }
  if (ask.verb == "trace") return trace(ask.arguments);
  if (ask.verb == "audit.list") return audits(ask.arguments);
  return fail(Fault::Permanent,
              "'" + std::string(cut_text(ask.verb, kVerbShown)) + "' is no verb of the sidecar",
              "UnknownVerb");
}

Result<> OperatorDesk::step(const Time& now) {
  now_ = now;
  if (auto stepped = purges_.step(); !stepped) return stepped;
  return redrives_.step(now);
}

std::optional<SteadyTime> OperatorDesk::wake_at() const {
  return purges_.idle() ? redrives_.wake_at() : SteadyTime{};
}

// --- Dead letters ---

Result<std::string> OperatorDesk::list(const Value& arguments) const {
  const auto filter = read_filter(arguments);
  if (!filter) return filter.failure();
  const auto found = stores_.letters.list(*filter);
  if (!found) return found.failure();
  const auto count = stores_.letters.count();
  if (!count) return count.failure();
  const auto events = arguments.find("events");
  return list_answer(*count, *found, events && events->boolean().value_or(false));
}

Result<std::string> OperatorDesk::show(const Value& arguments) const {
  const auto filter = read_filter(arguments);
  if (!filter) return filter.failure();
  if (filter->numbers.size() != 1) {
    return fail(Fault::Permanent, "numbers must name one dead letter", "InvalidArguments");
  }
  const auto found = stores_.letters.list(*filter);
  if (!found) return found.failure();
  if (found->empty()) {
    return fail(Fault::Permanent,
                "there is no dead letter " + std::to_string(filter->numbers.front()),
                "NotFound");
  }
  return letter_answer(found->front(), attempts_at(found->front()));
}

/// As far as the trace index has them; it may be behind, or have forgotten.
std::vector<TracedAttempt> OperatorDesk::attempts_at(const DeadLetter& letter) const {
  if (stores_.traces == nullptr || letter.event_id.empty()) return {};
  auto events = stores_.traces->trace(stores_.events, letter.event_id, kMostTraced);
  if (!events) return {};
  const auto event = std::ranges::find(*events, letter.sequence, &TracedEvent::sequence);
  if (event == events->end()) return {};
  const auto delivery =
      std::ranges::find(event->deliveries, letter.target, &TracedDelivery::target);
  if (delivery == event->deliveries.end()) return {};
  return std::move(delivery->attempts);
}

void OperatorDesk::purge(const Time& now, const std::string& client, const AskView& ask) {
  auto choice = read_choice(ask.arguments);
  if (choice) {
    note(now, client, ask, "begun");
    return purges_.ask(now, client, ask.request, std::move(*choice));
  }
  std::string body;
  append_refusal(body, ask.request, choice.error().code, choice.error().what);
  reply_(client, body);
}

Result<std::string> OperatorDesk::redrive(const Time& now,
                                          const std::string& client,
                                          const AskView& ask) {
  auto request = read_redrive(ask.arguments);
  if (!request) return request.failure();
  const auto task = redrives_.start(now, client, ask.request, std::move(*request));
  if (!task) return task.failure();
  std::string answer = task_answer(*task);
  note(now, client, ask, as_json(answer));
  return answer;
}

Result<std::string> OperatorDesk::tasks(const Value& arguments) const {
  const auto number = read_task(arguments, false);
  if (!number) return number.failure();
  return tasks_answer(redrives_.list(*number));
}

Result<std::string> OperatorDesk::cancel(const Time& now,
                                         const std::string& client,
                                         const AskView& ask) {
  const auto number = read_task(ask.arguments, true);
  if (!number) return number.failure();
  const auto task = redrives_.cancel(*number);
  if (!task) {
    return fail(Fault::Permanent,
                "there is no redrive " + std::to_string(*number)
                    + " (the sidecar forgets them when it is restarted)",
                "NotFound");
  }
  std::string answer = task_answer(*task);
  note(now, client, ask, as_json(answer));
  return answer;
}

void OperatorDesk::on_task_ended(const RedriveTask& task) {
  note({.number = 0,
        .at = now_.wall,
        .by = task.request.by,
        .client = task.client,
        .verb = "dlq.redrive",
        .arguments = task.request.arguments,
        .outcome = as_json(task_answer(task))});
}

// --- The rest ---

Result<std::string> OperatorDesk::trace(const Value& arguments) const {
  const auto id = arguments.find("id");
  const auto text = id ? id->string() : std::nullopt;
  if (!text || text->empty()) {
    return fail(Fault::Permanent,
                "id must be the text of an event id or a correlation id",
                "InvalidArguments");
  }
  if (stores_.traces == nullptr) {
    return fail(Fault::Permanent, "this sidecar keeps no trace index", "Unavailable");
  }
  const auto events = stores_.traces->trace(stores_.events, *text, kMostTraced);
  if (!events) return events.failure();
  return trace_answer(*events, events->size() >= kMostTraced);
}

/// What is kept is durable before the answer goes out: saving happens at once.
Result<std::string> OperatorDesk::pause(const Time& now,
                                        const std::string& client,
                                        const AskView& ask,
                                        bool has_table) {
  const bool pauses = ask.verb == "target.pause";
  auto names = read_target_names(ask.arguments, engine_, has_table);
  if (!names) return names.failure();
  if (stores_.paused != nullptr) {
    const auto saved = stores_.paused->set(*names, pauses);
    if (!saved) return saved.failure();
  }
  for (const TargetName& name : *names) engine_.set_paused(now, name, pauses);
  std::string answer = targets_answer(*names, pauses);
  note(now, client, ask, as_json(answer));
  return answer;
}

Result<std::string> OperatorDesk::audits(const Value& arguments) const {
  if (stores_.audit == nullptr) {
    return fail(Fault::Permanent, "this sidecar keeps no audit", "Unavailable");
  }
  const auto page = read_audit_page(arguments);
  if (!page) return page.failure();
  const auto entries = stores_.audit->list(page->before, page->limit);
  if (!entries) return entries.failure();
  return audit_answer(*entries);
}

void OperatorDesk::note(const Time& now,
                        const std::string& client,
                        const AskView& ask,
                        std::string_view outcome) {
  note({.number = 0,
        .at = now.wall,
        .by = read_by(ask.arguments),
        .client = client,
        .verb = std::string(ask.verb),
        .arguments = to_json(ask.arguments),
        .outcome = std::string(outcome)});
}

/// What an operator does is done even if it cannot be noted; the log has it then.
void OperatorDesk::note(AuditEntry entry) {
  log_.info("an operator's change",
            {{"verb", entry.verb},
             {"by", entry.by},
             {"arguments", entry.arguments},
             {"outcome", entry.outcome}});
  if (stores_.audit == nullptr) return;
  if (const auto added = stores_.audit->add(entry); !added) {
    log_.error("the audit cannot be written: " + added.error().what);
  }
}

}  // namespace conga::bus
