// SPDX-License-Identifier: Apache-2.0

#include "cli/arguments.h"

#include "common/core/version.h"

#include <CLI/CLI.hpp>

#include <sstream>
#include <string_view>
#include <utility>

namespace conga::cli {
namespace {

constexpr const char* kAbout =
    "conga: put events on a bus, watch them, trace what they caused, and care for dead letters.";

constexpr const char* kFooter = R"(Examples:
  conga put --source shop.web --detail-type OrderPlaced --detail '{"total": 42}'
  conga tap --pattern '{"source": ["shop.web"]}'
  conga trace BK-1001
  conga status

Where the bus is, the first of these that is said: --publish and --subscribe, CONGA_PUBLISH and
CONGA_SUBSCRIBE, --config bus.yaml, tcp://127.0.0.1:7461 and tcp://127.0.0.1:7462.
Exit codes: 0 done, 1 refused at least in part, 2 usage, 3 no bus.
`conga COMMAND --help` tells more; docs/cli.md tells all.)";

constexpr const char* kPutExamples =
    R"(An id and the time are filled in where they are missing. An id is printed once its event is
durable; what is refused is reported with its line, code and reason, and makes the exit code 1.

Examples:
  conga put --source shop.web --detail-type OrderPlaced --detail '{"total": 42}'
  conga put --source shop.web --detail-type OrderPlaced --detail @order.json --correlation-id A-7
  conga put '{"source": "shop.web", "detail-type": "OrderPlaced", "detail": {"total": 42}}'
  conga put events.jsonl
  zcat archive.jsonl.gz | conga put --rate 500/s -
  conga put --source load.test --detail-type Tick --count 10000 > ids.txt)";

constexpr const char* kTapExamples =
    R"(Shows events as the bus accepts them, matched by a rule or not; with --since first those that the
archive has, and with --follow then the live ones, without a gap. One that is too slow misses events.

Examples:
  conga tap
  conga tap --pattern '{"detail-type": [{"prefix": "Payment"}]}' --count 10
  conga tap --pattern @pattern.json --json | jq .detail
  conga tap --since 1h --journal var/journal --follow
  conga tap --topic fares)";

constexpr const char* kTraceExamples = R"(Examples:
  conga trace BK-1001
  conga trace 01935b1c-6d3e-7a52-9f0e-3c1f6a0b7d11
  conga trace BK-1001 --follow
  conga trace BK-1001 --mermaid > flow.mmd
  conga trace --json BK-1001 | jq '.events[]."detail-type"')";

constexpr const char* kRulesStatsExamples = R"(Examples:
  conga rules stats config/rules.yaml --journal var/journal
  conga rules stats config/rules.yaml --journal var/journal --since 1h --json)";

constexpr const char* kRulesApplyExamples =
    R"(The bus checks the file, keeps what it had as a version beside it, and replaces it at once or not at
all. Try it first: conga rules check, lint and diff.

Examples:
  conga rules apply new-rules.yaml --dry-run
  conga rules apply new-rules.yaml
  conga rules versions
  conga rules versions 3 | diff - config/rules.yaml
  conga rules rollback 3)";

constexpr const char* kDlqExamples = R"(Examples:
  conga dlq list
  conga dlq list --rule charge-new-bookings --error-code AcquirerDown
  conga dlq show 17
  conga dlq redrive 17
  conga dlq redrive --rule charge-new-bookings
  conga dlq purge --error-code Malformed --yes)";

constexpr const char* kDlqListExamples = R"(Examples:
  conga dlq list
  conga dlq list --target payment --limit 200
  conga dlq list --json --correlation-id BK-1001)";

constexpr const char* kDlqShowExamples = R"(Examples:
  conga dlq show 17
  conga dlq show 17 --json | jq .event)";

constexpr const char* kDlqRedriveExamples =
    R"(Each dead letter goes to its target again, as a new delivery with its full retry policy. One goes
first; the others follow, at a rate, once it is settled. It stops at the first one that fails for
the cause it had before. Ctrl-C cancels it.

Examples:
  conga dlq redrive 17 18
  conga dlq redrive --rule charge-new-bookings --error-code AcquirerDown --rate 50
  conga dlq redrive --all --canary 3 --wait
  conga dlq redrive --all --detach && conga dlq tasks)";

constexpr const char* kDlqExportExamples =
    R"(Prints each dead letter with its event as a line of JSON.

Examples:
  conga dlq export > dead-letters.jsonl
  conga dlq export --error-code Malformed | jq -c .event)";

constexpr const char* kDlqTasksExamples = R"(Examples:
  conga dlq tasks
  conga dlq cancel 3)";

constexpr const char* kAuditExamples =
    R"(Redrives, purges, pauses: by whom, when, with what outcome, newest first.

Examples:
  conga audit
  conga audit --limit 500 --json)";

constexpr const char* kDlqPurgeExamples =
    R"(Deletes dead letters for good. Asks first on a terminal; elsewhere it needs --yes.

Examples:
  conga dlq purge 17
  conga dlq purge --error-code Malformed --yes
  conga dlq purge --all)";

constexpr const char* kDlqCausesExamples = R"(A cause is an error code, a rule and a target.

Examples:
  conga dlq causes
  conga dlq causes --rule charge-new-bookings --json)";

constexpr const char* kRulesExamples = R"(Examples:
  conga rules check config/rules/*.yaml
  conga rules list
  conga rules test --pattern '{"source": ["shop.web"]}' --event @event.json
  conga rules reload)";

constexpr const char* kRulesCheckExamples =
    R"(Needs no bus. Every fault is reported as FILE:LINE:COLUMN: what is wrong and what was expected.

Examples:
  conga rules check config/rules.yaml
  conga rules check --json config/*.yaml)";

constexpr const char* kRulesListExamples = R"(Examples:
  conga rules list
  conga rules list --json | jq '.rules[].name')";

constexpr const char* kRulesTestExamples =
    R"(Needs no bus. One pattern and one event: prints true or false, and the exit code is 0 or 1.
--explain also prints the first condition that failed, and the value that was found.
With --cases, each line of the file holds {"pattern": …, "event": …}, each a JSON value or a string
that holds JSON text; prints true, false or `invalid: REASON` for each, and the exit code is 0.

Examples:
  conga rules test --pattern '{"detail": {"total": [{"numeric": [">", 40]}]}}' --event @event.json
  conga rules test --pattern @pattern.json --event @event.json --explain
  conga rules test --cases cases.jsonl
  conga rules test --cases - < cases.jsonl)";

constexpr const char* kRulesFlowExamples =
    R"(Needs no bus. What the rules and the services' manifests declare together: an arrow for each event
that a service emits, a rule may match by its source and detail-type, and a target is sent. Events
that no service emits come from (outside).

Examples:
  conga-payment --manifest > payment.json
  conga rules flow config/rules.yaml --manifests *.json
  conga rules flow config/rules.yaml --manifests *.json --mermaid)";

constexpr const char* kRulesLintExamples =
    R"(Needs no bus. Holds rules against the services' manifests: rules that can match no declared event,
events that are sent to who does not consume them, consumers that nobody feeds, events that nobody
hears, and rules that deliver the same event twice. Exit code 1 if there is an error.

Examples:
  for s in services/conga-*; do $s --manifest > $(basename $s).json; done
  conga rules lint config/rules.yaml --manifests *.json)";

constexpr const char* kRulesDiffExamples =
    R"(Needs no bus; reads the journal of one that may be running. Matches each event of the journal with
both rule sets and tells, for each rule and target, the deliveries that would be gained and lost; of
these, RETARGETED are those that the same rule would send elsewhere. Exit code 0: nothing would
change; 1: something would, or a file is faulty.

Examples:
  conga rules diff new.yaml --against config/rules.yaml --journal var/journal
  conga rules diff new.yaml --against config/rules.yaml --journal var/journal --since 24h --json)";

constexpr const char* kRulesReloadExamples =
    R"(The bus reads its rules anew, as on SIGHUP. If they are wrong it says where, and keeps the old ones.

Examples:
  conga rules check config/rules.yaml && conga rules reload)";

constexpr const char* kTargetExamples =
    R"(While a target is paused nothing of it is sent; what an instance works on may be settled, and ages go
on: what is older than the target's max-age goes to the dead letters. Kept over restarts.

Examples:
  conga target pause payment
  conga target resume payment --rule charge-new-bookings)";

constexpr const char* kTopExamples =
    R"(Keys: s sorts by the next column; r, b, o, t, n by rate, backlog, oldest, retries, name; / filters by
rule or target, Enter ends typing, Esc clears; q quits.

Examples:
  conga top
  conga top --interval 5s
  conga top --once
  conga top --json | jq '.rows[] | select(.pending > 0)')";

constexpr const char* kStatusExamples =
    R"(With --await or --idle it waits, prints nothing (--json: the status) and exits 0 once all is so, or 1
when its patience ends.

Examples:
  conga status
  conga status --json | jq .sidecar
  conga status --await booking,payment && ./load-test
  conga status --idle --patience 2m
  conga status --publish tcp://bus.example:7461 --subscribe tcp://bus.example:7462)";

constexpr const char* kJournalExamples =
    R"(Needs no bus and only reads, so a sidecar may be at work in the directory. Exit code 1 if there is
damage; an unfinished write at the end is none.

Examples:
  conga journal verify /var/lib/conga/journal
  conga journal stats /var/lib/conga/journal
  conga journal dump --json /var/lib/conga/journal | jq 'select(.type == "dead-letter")')";

constexpr const char* kArchiveExamples =
    R"(Needs no bus; reads the journal of one that may be running. The journal is the archive: it keeps
every accepted event for as long as its retention says. Archives that the rules name (`archives`) are
beside it, in DIRECTORY/archives: choose one with --archive. What was replayed is left out.

Examples:
  conga archive list --journal var/journal
  conga archive stats --journal var/journal --since 24h
  conga archive export --journal var/journal --pattern '{"source": ["shop.web"]}' > events.jsonl
  conga archive export --journal var/journal --archive payments --since 720h > payments.jsonl)";

constexpr const char* kReplayExamples =
    R"(Puts archived events on the bus once more, each with the field replay-name and an id of its own,
and its original's id as causation-id. They go to rules that say `replay: true` and to no others, or
to those of --rule and --target, whatever they say. How far it got is kept in replay-NAME.json in
$XDG_STATE_HOME/conga or ~/.local/state/conga: --resume goes on from there, with the same ids, so that
what was put already is recognised.

Examples:
  conga replay --journal var/journal --since 2h --until 1h
  conga replay --journal var/journal --since 24h --pattern '{"detail-type": ["OrderPlaced"]}' --speed 10x
  conga replay --journal var/journal --name after-the-fix --rate 500/s
  conga replay --journal var/journal --archive payments --since 720h --target ledger
  conga replay --resume after-the-fix)";

constexpr const char* kWhyExamples =
    R"(Needs no bus. Of a rule that does not match: the first field that no value satisfies, what the
pattern asks for there, and what was found. Exit code 0 if the rule (without one: any) matches, else 1.

Examples:
  conga why 01a2093f-339b-776e-9b02-37f8420a5210 tell-customers --rules config/rules.yaml --journal var/journal
  conga why @event.json --rules config/rules.yaml)";

constexpr const char* kMapExamples =
    R"(Needs no bus; reads the journal of one that may be running. One line for each event type, from whom
to whom, by which rule: how many, how long from ingestion until settled, what was tried again, what
became a dead letter, what is pending and since when. With --manifests, sources are told by their
services' names. --diff exits with 1 if something differs.

Examples:
  conga map --journal var/journal --since 1h
  conga map --journal var/journal --manifests *.json --svg > flow.svg
  conga map --journal var/journal --manifests *.json --rules config/rules.yaml --diff
  conga map --journal var/journal --since 24h --suggest-expectations)";

constexpr const char* kChaosExamples =
    R"(For a test bus that nobody depends on: what the services do under duplicated, late and repeated
deliveries, compared with a run without.

Examples:
  conga chaos run --rules rules.yaml --events events.jsonl --folder /tmp/chaos --duplicate 5% \
      --service 'billing $CONGA_PUBLISH $CONGA_SUBSCRIBE $CONGA_RUN/billing.db'
  conga chaos relay --listen ipc:///tmp/t/link --sidecar ipc:///tmp/t/onward --seed 7 --duplicate 5%
  conga chaos compare --clean clean/journal --chaos chaos/journal --deeds deeds.jsonl
  scripts/chaos --seed 7 --duplicate 5% --reorder --drop-acks     # run, for the booking services)";

constexpr const char* kChaosRunExamples =
    R"(Runs the services three times with the same events, each time with a bus and a sidecar of its own:
twice as ever (what differs even then is not compared), and once with deliveries duplicated, held up
and lost. Then it compares what they said, as `chaos compare` does, and names those that are not
idempotent. Each --service is run by a shell, with CONGA_PUBLISH and CONGA_SUBSCRIBE (where its bus
is) and CONGA_RUN (a folder of its run) in its environment; start it from nothing in each run.
Exit code 0: the same; 1: different; 2: a run failed.

Examples:
  conga chaos run --rules rules.yaml --events events.jsonl --folder /tmp/chaos --seed 7 \
      --duplicate 5% --reorder --delay --drop-acks \
      --service 'billing --bus $CONGA_PUBLISH $CONGA_SUBSCRIBE --database $CONGA_RUN/billing.db' \
      --service 'stock --bus $CONGA_PUBLISH $CONGA_SUBSCRIBE --database $CONGA_RUN/stock.db')";

constexpr const char* kChaosCompareExamples =
    R"(Needs no bus. Holds the business events of a run under `chaos relay` against those of a clean run of
the same input: by correlation id, source and detail-type, their number and what they say, whatever
their order, ids and times. Names the services where a difference began, not those that only got
other events. What differs even between several clean runs is not compared. Exit code 0: the same;
1: different; 2: the runs cannot be compared.

Examples:
  conga chaos compare --clean clean/journal --chaos chaos/journal --deeds deeds.jsonl
  conga chaos compare --clean one/journal two/journal --chaos chaos/journal --ignore /detail/printed-at)";

constexpr const char* kChaosRelayExamples =
    R"(Stands on the link between a test bus and its sidecar until it is stopped (Ctrl-C): start the
sidecar with its link at --sidecar, the bus with link.endpoint at --listen. Prints what it does to
each delivery. It does only what at-least-once delivery allows: ordering keys keep their order, an
acknowledgement is dropped on first attempts only, and while something is held back `conga status
--idle` waits. The same --seed does the same to the same events of the same flows.

Examples:
  conga chaos relay --listen ipc:///tmp/t/link --sidecar ipc:///tmp/t/onward --duplicate 5% --reorder
  conga chaos relay --listen ipc:///tmp/t/link --sidecar ipc:///tmp/t/onward --seed 7 --delay 100ms \
      --drop-acks 2% --targets billing,stock --json > deeds.jsonl)";

/// The options of every command while CLI11 fills them in; it needs addresses that stay.
struct Draft {
  Arguments common;
  std::string timeout;
  PutOptions put;
  std::string rate;
  std::string redrive_rate = "1000";
  std::string patience;
  std::string since;
  TapOptions tap;
  TraceOptions trace;
  DlqOptions dlq;
  AuditOptions audit;
  RulesOptions rules;
  StatusOptions status;
  TopOptions top;
  std::string interval;
  TargetOptions target;
  JournalOptions journal;
  MapOptions map;
  ArchiveOptions archive;
  ReplayOptions replay;
  WhyOptions why;
  ChaosOptions chaos;
  std::string duplicate;
  std::string drop_acks;
  std::string delay;
  std::string ack_timeout;
  std::vector<std::string> services;
};

std::string is_duration(const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration) return duration.error().what;
  return *duration > Duration(0) ? "" : "must be longer than 0s";
}

std::string is_rate(const std::string& text) {
  const auto rate = parse_rate(text);
  return rate ? "" : rate.error().what;
}

std::string is_percent(const std::string& text) {
  const auto percent = parse_percent(text);
  return percent ? "" : percent.error().what;
}

/// 0: no limit.
std::uint32_t redrive_rate(const std::string& text) {
  if (text == "max") return 0;
  const auto rate = parse_rate(text);
  return rate ? static_cast<std::uint32_t>(std::max(1.0, *rate)) : 0;
}

std::string is_redrive_rate(const std::string& text) {
  constexpr double kMost = 1e6;
  if (text == "max") return "";
  const auto rate = parse_rate(text);
  if (!rate) return rate.error().what + ", or max";
  return *rate >= 1.0 && *rate <= kMost ? "" : "must be from 1 to 1000000 a second, or max";
}

CLI::Option* add_manifests(CLI::App& command, std::vector<std::string>& into) {
  return command.add_option("--manifests", into, "What services print with --manifest")
      ->type_name("FILE");
}

CLI::Option* add_journal_directory(CLI::App& command, std::string& into) {
  return command.add_option("--journal", into, "The sidecar's journal.directory")->type_name("DIR");
}

void add_common(CLI::App& app, Draft& draft) {
  app.set_version_flag("--version", "conga " + std::string(kVersion));
  app.add_option("--config", draft.common.config, "A bus.yaml to take the endpoints from")
      ->type_name("FILE");
  app.add_option("--publish", draft.common.publish, "Where to publish to")
      ->envname("CONGA_PUBLISH")
      ->type_name("ENDPOINT");
  app.add_option("--subscribe", draft.common.subscribe, "Where to listen")
      ->envname("CONGA_SUBSCRIBE")
      ->type_name("ENDPOINT");
  app.add_option("--timeout", draft.timeout, "How long to wait for the bus (3s)")
      ->type_name("DURATION")
      ->check(is_duration);
  app.add_flag("--json", draft.common.json, "Results as JSON, for programs");
  app.footer(kFooter);
}

void add_put(CLI::App& app, Draft& draft) {
  PutOptions& put = draft.put;
  CLI::App* command =
      app.add_subcommand("put", "Put events; each id is printed once it is durable");
  command->add_option("event", put.input, "A JSON event, a file of JSON lines, or - for stdin");
  command->add_option("--source", put.source, "Who says it: shop.web");
  command->add_option("--detail-type", put.detail_type, "What happened: OrderPlaced");
  command->add_option("--detail", put.detail, "The facts: a JSON object, or @FILE ({})")
      ->type_name("JSON");
  command->add_option("--correlation-id", put.correlation_id, "The business key of the flow");
  command->add_option("--key", put.key, "The ordering key");
  command->add_option("--id", put.id, "A UUID; by default a new one");
  command->add_option("--count", put.count, "Put the event so many times, each with its own id")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  command->add_option("--rate", draft.rate, "At most so many a second: 500/s")
      ->type_name("RATE")
      ->check(is_rate);
  command->add_option("--patience", draft.patience, "Give up without any answer for so long (30s)")
      ->type_name("DURATION")
      ->check(is_duration);
  command->footer(kPutExamples);
}

void add_tap(CLI::App& app, Draft& draft) {
  CLI::App* command = app.add_subcommand("tap", "Watch events live");
  command
      ->add_option("--pattern", draft.tap.pattern, "Only what this event pattern matches; or @FILE")
      ->type_name("JSON");
  command->add_option("--topic", draft.tap.topic, "Watch what rules send to this topic: target")
      ->type_name("NAME");
  command->add_option("--count", draft.tap.count, "End after so many events");
  command
      ->add_option(
          "--since", draft.tap.since, "First what the archive has from then: 1h, or a time")
      ->type_name("TIME");
  add_journal_directory(*command, draft.tap.journal);
  command->add_flag("--follow", draft.tap.follow, "With --since: go on with what comes");
  command->footer(kTapExamples);
}

void add_trace(CLI::App& app, Draft& draft) {
  CLI::App* command = app.add_subcommand("trace", "Show the whole flow that an event belongs to");
  command->add_option("id", draft.trace.subject, "An event id or a correlation-id")->required();
  command->add_flag("--mermaid", draft.trace.mermaid, "As a Mermaid sequence diagram");
  command->add_flag("--follow", draft.trace.follow, "Wait until nothing of the flow is pending");
  command->footer(kTraceExamples);
}

void add_dlq_filter(CLI::App& command, DlqOptions& dlq) {
  command.add_option("--rule", dlq.rule, "Only of this rule");
  command.add_option("--target", dlq.target, "Only of this target");
  command.add_option("--event-id", dlq.event_id, "Only of this event");
  command.add_option("--error-code", dlq.error_code, "Only with this error code");
  command.add_option("--correlation-id", dlq.correlation_id, "Only of this flow");
}

void add_dlq_choice(CLI::App& command, DlqOptions& dlq) {
  command.add_option("number", dlq.numbers, "Which dead letters, by number");
  command.add_flag("--all", dlq.all, "Every dead letter there is");
  add_dlq_filter(command, dlq);
}

void add_dlq(CLI::App& app, Draft& draft) {
  DlqOptions& dlq = draft.dlq;
  CLI::App* group = app.add_subcommand("dlq", "Look at dead letters, redrive them, purge them");
  group->require_subcommand(0, 1)->footer(kDlqExamples);
  CLI::App* list = group->add_subcommand("list", "List dead letters, oldest first");
  add_dlq_filter(*list, dlq);
  list->add_option("--limit", dlq.limit, "At most so many (50)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000}));
  list->footer(kDlqListExamples);
  list->callback([&dlq] { dlq.action = DlqOptions::Action::List; });
  CLI::App* causes = group->add_subcommand("causes", "Count dead letters by cause, most first");
  add_dlq_filter(*causes, dlq);
  causes->footer(kDlqCausesExamples);
  causes->callback([&dlq] { dlq.action = DlqOptions::Action::Causes; });
  CLI::App* show = group->add_subcommand("show", "Show all about one dead letter");
  show->add_option("number", dlq.numbers, "Which one")->required()->expected(1);
  show->footer(kDlqShowExamples);
  show->callback([&dlq] { dlq.action = DlqOptions::Action::Show; });
  CLI::App* redrive = group->add_subcommand("redrive", "Deliver dead letters again");
  add_dlq_choice(*redrive, dlq);
  redrive->footer(kDlqRedriveExamples);
  redrive->callback([&draft] {
    draft.dlq.action = DlqOptions::Action::Redrive;
    draft.dlq.rate = redrive_rate(draft.redrive_rate);
  });
  redrive->add_option("--canary", dlq.canaries, "Wait until so many are settled (1; 0: do not)")
      ->check(CLI::Range(0, 1'000'000));
  redrive->add_option("--rate", draft.redrive_rate, "At most so many a second (1000), or max")
      ->check(is_redrive_rate);
  redrive->add_flag("--wait", dlq.wait, "Until all that are redriven have been settled");
  redrive->add_flag("--detach", dlq.detach, "Do not follow it: dlq tasks shows how it goes");
  CLI::App* tasks = group->add_subcommand("tasks", "Show the redrives under way, and the last few");
  tasks->footer(kDlqTasksExamples);
  tasks->callback([&dlq] { dlq.action = DlqOptions::Action::Tasks; });
  CLI::App* cancel = group->add_subcommand("cancel", "End a redrive where it is");
  cancel->add_option("task", dlq.numbers, "Which one")->required()->expected(1);
  cancel->footer(kDlqTasksExamples);
  cancel->callback([&dlq] { dlq.action = DlqOptions::Action::Cancel; });
  CLI::App* exported = group->add_subcommand("export", "Print dead letters with their events");
  add_dlq_filter(*exported, dlq);
  exported->footer(kDlqExportExamples);
  exported->callback([&dlq] { dlq.action = DlqOptions::Action::Export; });
  CLI::App* purge = group->add_subcommand("purge", "Delete dead letters for good");
  add_dlq_choice(*purge, dlq);
  purge->add_flag("--yes", dlq.yes, "Do not ask");
  purge->footer(kDlqPurgeExamples);
  purge->callback([&dlq] { dlq.action = DlqOptions::Action::Purge; });
}

/// What changes the rules of a running bus.
void add_rules_changes(CLI::App& group, RulesOptions& rules) {
  CLI::App* apply = group.add_subcommand("apply", "Replace the rules of the bus, and keep the old");
  apply->add_option("file", rules.files, "The new rules file")->required()->expected(1);
  apply->add_flag("--dry-run", rules.dry_run, "Let the bus check it, and change nothing");
  apply->footer(kRulesApplyExamples);
  apply->callback([&rules] { rules.action = RulesOptions::Action::Apply; });
  CLI::App* rollback = group.add_subcommand("rollback", "Go back to an earlier version");
  rollback->add_option("version", rules.version, "Its number: conga rules versions")
      ->required()
      ->check(CLI::PositiveNumber);
  rollback->footer(kRulesApplyExamples);
  rollback->callback([&rules] { rules.action = RulesOptions::Action::Rollback; });
  CLI::App* versions =
      group.add_subcommand("versions", "List the versions of the rules that are kept");
  versions->add_option("version", rules.version, "Print this one")->check(CLI::PositiveNumber);
  versions->footer(kRulesApplyExamples);
  versions->callback([&rules] { rules.action = RulesOptions::Action::Versions; });
}

void add_rules(CLI::App& app, Draft& draft) {
  RulesOptions& rules = draft.rules;
  CLI::App* group = app.add_subcommand("rules", "Check, list, try and reload routing rules");
  group->require_subcommand(0, 1)->footer(kRulesExamples);
  CLI::App* check = group->add_subcommand("check", "Check rule files, without a bus");
  check->add_option("file", rules.files, "Rule files")->required();
  check->add_flag("--aws", rules.aws, "Warn of what exceeds a limit of Amazon EventBridge");
  check->footer(kRulesCheckExamples);
  check->callback([&rules] { rules.action = RulesOptions::Action::Check; });
  CLI::App* list = group->add_subcommand("list", "List the rules that the bus works with");
  list->footer(kRulesListExamples);
  list->callback([&rules] { rules.action = RulesOptions::Action::List; });
  CLI::App* test = group->add_subcommand("test", "Try a pattern on an event, without a bus");
  auto* pattern = test->add_option("--pattern", rules.pattern, "The event pattern, or @FILE");
  auto* event = test->add_option("--event", rules.event, "The event, or @FILE");
  auto* cases = test->add_option("--cases", rules.cases, "A file of JSON lines, or -");
  test->add_flag(
      "--explain", rules.explain, "Say of what does not match which condition failed first");
  pattern->type_name("JSON")->needs(event)->excludes(cases);
  event->type_name("JSON")->needs(pattern)->excludes(cases);
  cases->type_name("FILE");
  test->footer(kRulesTestExamples);
  test->callback([&rules] { rules.action = RulesOptions::Action::Test; });
  CLI::App* flow =
      group->add_subcommand("flow", "Show which event goes from whom to whom, without a bus");
  flow->add_option("file", rules.files, "Rule files")->required();
  add_manifests(*flow, rules.manifests)->required();
  flow->add_flag("--mermaid", rules.mermaid, "As a Mermaid flowchart");
  flow->footer(kRulesFlowExamples);
  flow->callback([&rules] { rules.action = RulesOptions::Action::Flow; });
  CLI::App* lint =
      group->add_subcommand("lint", "Find rules and events that lead nowhere, without a bus");
  lint->add_option("file", rules.files, "Rule files")->required();
  add_manifests(*lint, rules.manifests)->required();
  lint->add_flag("--strict", rules.strict, "Take notes for errors");
  lint->footer(kRulesLintExamples);
  lint->callback([&rules] { rules.action = RulesOptions::Action::Lint; });
  CLI::App* diff =
      group->add_subcommand("diff", "Show what other rules would have done, without a bus");
  diff->add_option("file", rules.files, "The new rule files")->required();
  diff->add_option("--against", rules.against, "The rule files as they are")
      ->type_name("FILE")
      ->required();
  add_journal_directory(*diff, rules.journal)->required();
  diff->add_option("--since", draft.since, "Only events of so long ago: 24h")
      ->type_name("DURATION")
      ->check(is_duration);
  diff->footer(kRulesDiffExamples);
  diff->callback([&rules] { rules.action = RulesOptions::Action::Diff; });
  CLI::App* stats = group->add_subcommand("stats", "Count what each rule matched, without a bus");
  stats->add_option("file", rules.files, "Rule files")->required();
  add_journal_directory(*stats, rules.journal)->required();
  stats->add_option("--since", draft.since, "Count events of so long ago (24h)")
      ->type_name("DURATION")
      ->check(is_duration);
  stats->footer(kRulesStatsExamples);
  stats->callback([&rules] { rules.action = RulesOptions::Action::Stats; });
  add_rules_changes(*group, rules);
  CLI::App* reload = group->add_subcommand("reload", "Make the bus read its rules anew");
  reload->footer(kRulesReloadExamples);
  reload->callback([&rules] { rules.action = RulesOptions::Action::Reload; });
}

void add_audit(CLI::App& app, Draft& draft) {
  CLI::App* audit = app.add_subcommand("audit", "Show what operators changed");
  audit->add_option("--limit", draft.audit.limit, "At most so many (50)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1000}));
  audit->footer(kAuditExamples);
}

void add_target(CLI::App& app, Draft& draft) {
  TargetOptions& target = draft.target;
  CLI::App* group = app.add_subcommand("target", "Pause a target and let it go on");
  group->require_subcommand(0, 1)->footer(kTargetExamples);
  const auto add = [&](const char* name, const char* about, TargetOptions::Action action) {
    CLI::App* command = group->add_subcommand(name, about);
    command->add_option("name", target.name, "The target's name: its service's, by default")
        ->required();
    command->add_option("--rule", target.rule, "Only the target of this rule");
    command->footer(kTargetExamples);
    command->callback([&target, action] { target.action = action; });
  };
  add("pause", "Send nothing more to a target", TargetOptions::Action::Pause);
  add("resume", "Send to a paused target again", TargetOptions::Action::Resume);
}

void add_map(CLI::App& app, Draft& draft) {
  MapOptions& map = draft.map;
  CLI::App* command =
      app.add_subcommand("map", "Show the flow that really happened, without a bus");
  add_journal_directory(*command, map.journal)->required();
  command->add_option("--since", draft.since, "Only events of so long ago: 1h")
      ->type_name("DURATION")
      ->check(is_duration);
  add_manifests(*command, map.manifests);
  auto* mermaid = command->add_flag("--mermaid", map.mermaid, "As a Mermaid flowchart");
  auto* dot = command->add_flag("--dot", map.dot, "As a Graphviz graph");
  auto* svg = command->add_flag("--svg", map.svg, "As SVG, drawn by Graphviz' dot");
  auto* diff = command->add_flag("--diff", map.diff, "What differs from the declared flow");
  command->add_flag("--suggest-expectations", map.suggest, "What could be expected, for the rules");
  command->add_option("--rules", map.rules, "With --diff: the rule files")->type_name("FILE");
  mermaid->excludes(dot)->excludes(diff);
  dot->excludes(diff);
  svg->excludes(diff)->excludes(dot)->excludes(mermaid);
  command->footer(kMapExamples);
}

void add_choice(CLI::App& command, ArchiveChoice& choice) {
  add_journal_directory(command, choice.journal)->required();
  command
      .add_option("--archive", choice.archive, "Not the journal's events: those of this archive")
      ->type_name("NAME");
  command.add_option("--since", choice.since, "Not what is older: 24h, or 2026-11-23T10:00:00Z")
      ->type_name("WHEN");
  command.add_option("--until", choice.until, "Not what is newer, so written too")
      ->type_name("WHEN");
  command.add_option("--pattern", choice.pattern, "Only what this event pattern matches; or @FILE")
      ->type_name("JSON");
}

void add_archive(CLI::App& app, Draft& draft) {
  ArchiveOptions& archive = draft.archive;
  CLI::App* group = app.add_subcommand("archive", "Export or count archived events, without a bus");
  group->require_subcommand(0, 1)->footer(kArchiveExamples);
  const auto add = [&](const char* name, const char* about, ArchiveOptions::Action action) {
    CLI::App* command = group->add_subcommand(name, about);
    add_choice(*command, archive.choice);
    command->footer(kArchiveExamples);
    command->callback([&archive, action] { archive.action = action; });
  };
  CLI::App* const list = group->add_subcommand("list", "Count what each archive holds");
  add_journal_directory(*list, archive.choice.journal)->required();
  list->footer(kArchiveExamples);
  list->callback([&archive] { archive.action = ArchiveOptions::Action::List; });
  add("stats", "Count events and bytes by source and detail-type", ArchiveOptions::Action::Stats);
  add("export", "Print events as JSON lines, oldest first", ArchiveOptions::Action::Export);
}

void add_replay(CLI::App& app, Draft& draft) {
  ReplayOptions& replay = draft.replay;
  CLI::App* command = app.add_subcommand("replay", "Put archived events once more");
  add_choice(*command, replay.choice);
  command->get_option("--journal")->required(false);
  command->add_option("--name", replay.name, "The replay's name (replay-TIME)");
  command->add_option("--rule", replay.to.rules, "Only to this rule, whatever it says of replays")
      ->type_name("NAME");
  command->add_option("--target", replay.to.targets, "Only to targets of this name")
      ->type_name("NAME");
  command->add_option("--speed", replay.speed, "10x: as they came, ten times as fast (max)")
      ->type_name("SPEED");
  command->add_option("--rate", draft.rate, "At most so many a second: 500/s")
      ->type_name("RATE")
      ->check(is_rate);
  command->add_option("--patience", draft.patience, "Give up without any answer for so long (30s)")
      ->type_name("DURATION")
      ->check(is_duration);
  command->add_option("--state", replay.state, "Where to keep how far it got")->type_name("FILE");
  CLI::Option* const resume =
      command->add_option("--resume", replay.resume, "Go on with a replay that was interrupted")
          ->type_name("NAME");
  for (CLI::Option* const option : command->get_options()) {
    const bool both =
        option == resume || option->check_lname("state") || option->check_lname("help");
    if (!both) resume->excludes(option);
  }
  command->callback([&replay] {
    if (replay.resume.empty() && replay.choice.journal.empty()) {
      throw CLI::RequiredError("--journal, or --resume,");
    }
  });
  command->footer(kReplayExamples);
}

void add_why(CLI::App& app, Draft& draft) {
  WhyOptions& why = draft.why;
  CLI::App* command =
      app.add_subcommand("why", "Say why an event matches a rule or does not, without a bus");
  command->add_option("event", why.event, "An event id in the journal, a JSON event, or @FILE")
      ->required();
  command->add_option("rule", why.rule, "The rule's name; by default all, nearest misses first");
  command->add_option("--rules", why.rules, "The rule files")->type_name("FILE")->required();
  add_journal_directory(*command, why.journal);
  command->footer(kWhyExamples);
}

/// What is done to the deliveries.
void add_mischief(CLI::App& command, Draft& draft) {
  MischiefOptions& mischief = draft.chaos.relay.mischief;
  command.add_option("--seed", mischief.seed, "What the choices follow from (1)");
  command.add_option("--duplicate", draft.duplicate, "Deliver this share twice: 5%")
      ->type_name("SHARE")
      ->check(is_percent);
  command.add_flag("--reorder", mischief.reorder, "Let neighbours swap: hold each up to 20ms");
  command.add_option("--delay", draft.delay, "Hold each up to so long; 100ms if not said")
      ->expected(0, 1)
      ->default_str("100ms")
      ->type_name("DURATION")
      ->check(is_duration);
  command.add_option("--drop-acks", draft.drop_acks, "Lose this share's ok; 5% if not said")
      ->expected(0, 1)
      ->default_str("5%")
      ->type_name("SHARE")
      ->check(is_percent);
  command
      .add_option("--ack-timeout",
                  draft.ack_timeout,
                  "With --drop-acks: no target waits longer for an ok (1s)")
      ->type_name("DURATION")
      ->check(is_duration);
  command.add_option("--targets", draft.services, "Only deliveries to these services: a,b,c")
      ->delimiter(',')
      ->type_name("SERVICES");
}

void add_chaos_relay(CLI::App& group, Draft& draft) {
  ChaosOptions& chaos = draft.chaos;
  CLI::App* relay = group.add_subcommand("relay", "Trouble the deliveries of a test bus");
  relay->add_option("--listen", chaos.listen, "Where the bus connects to: its link.endpoint")
      ->type_name("ENDPOINT")
      ->required();
  relay->add_option("--sidecar", chaos.sidecar, "Where the sidecar is: its link")
      ->type_name("ENDPOINT")
      ->required();
  add_mischief(*relay, draft);
  relay->footer(kChaosRelayExamples);
  relay->callback([&chaos] { chaos.action = ChaosOptions::Action::Relay; });
}

void add_ignored(CLI::App& command, CompareOptions& compare) {
  command
      .add_option(
          "--ignore", compare.ignored, "Do not compare this; * is any one part: /detail/items/*/no")
      ->type_name("POINTER");
}

void add_chaos_run(CLI::App& group, Draft& draft) {
  ChaosRunOptions& run = draft.chaos.run;
  CLI::App* command =
      group.add_subcommand("run", "Try services: clean runs, one with chaos, compare");
  command->add_option("--rules", run.rules, "The rule file")->type_name("FILE")->required();
  command->add_option("--events", run.events, "What to put: JSON lines")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--service", run.services, "A shell command that runs a service; once for each")
      ->type_name("COMMAND")
      ->required();
  command->add_option("--folder", run.folder, "For journals and logs: a new one")
      ->type_name("DIR")
      ->required();
  add_mischief(*command, draft);
  add_ignored(*command, draft.chaos.compare);
  add_manifests(*command, draft.chaos.compare.manifests);
  command->add_option("--patience", draft.patience, "For each run to become quiet (5m)")
      ->type_name("DURATION")
      ->check(is_duration);
  command->add_option("--bus", run.bus, "The program conga-bus, if not in PATH")->type_name("FILE");
  command->add_option("--sidecar", run.sidecar, "The program conga-sidecar, if not in PATH")
      ->type_name("FILE");
  command->footer(kChaosRunExamples);
  command->callback([&draft] { draft.chaos.action = ChaosOptions::Action::Run; });
}

void add_chaos_compare(CLI::App& group, Draft& draft) {
  ChaosOptions& chaos = draft.chaos;
  CompareOptions& compare = chaos.compare;
  CLI::App* command =
      group.add_subcommand("compare", "Name the services that chaos made say something else");
  command->add_option("--clean", compare.clean, "journal.directory of the clean run, or of several")
      ->type_name("DIR")
      ->required();
  command->add_option("--chaos", compare.chaos, "journal.directory of the run under chaos")
      ->type_name("DIR")
      ->required();
  command->add_option("--deeds", compare.deeds, "What `chaos relay --json` printed")
      ->type_name("FILE");
  add_ignored(*command, compare);
  add_manifests(*command, compare.manifests);
  command->footer(kChaosCompareExamples);
  command->callback([&chaos] { chaos.action = ChaosOptions::Action::Compare; });
}

void add_chaos(CLI::App& app, Draft& draft) {
  CLI::App* group = app.add_subcommand("chaos", "Try services under repeated and late deliveries");
  group->require_subcommand(0, 1)->footer(kChaosExamples);
  add_chaos_run(*group, draft);
  add_chaos_relay(*group, draft);
  add_chaos_compare(*group, draft);
}

void add_journal(CLI::App& app, Draft& draft) {
  JournalOptions& journal = draft.journal;
  CLI::App* group = app.add_subcommand("journal", "Look into a sidecar's journal, without a bus");
  group->require_subcommand(0, 1)->footer(kJournalExamples);
  const auto add = [&](const char* name, const char* about, JournalOptions::Action action) {
    CLI::App* command = group->add_subcommand(name, about);
    command->add_option("directory", journal.directory, "The sidecar's journal.directory")
        ->required();
    command->footer(kJournalExamples);
    command->callback([&journal, action] { journal.action = action; });
  };
  add("verify", "Read every record and tell all damage", JournalOptions::Action::Verify);
  add("dump", "Print every record, one a line", JournalOptions::Action::Dump);
  add("stats", "Count segments, events and endings", JournalOptions::Action::Stats);
}

void add_status(CLI::App& app, Draft& draft) {
  CLI::App* command = app.add_subcommand("status", "Show bus, sidecar, services and backlog");
  command->add_option("--await", draft.status.await, "Wait until these services are ready: a,b,c")
      ->delimiter(',')
      ->type_name("SERVICES");
  command->add_flag("--idle", draft.status.idle, "Wait until no delivery is pending");
  command
      ->add_option("--patience", draft.patience, "How long --await and --idle wait, at most (30s)")
      ->type_name("DURATION")
      ->check(is_duration);
  command->footer(kStatusExamples);
}

void add_top(CLI::App& app, Draft& draft) {
  CLI::App* top = app.add_subcommand("top", "Watch rates and backlog by rule and target");
  top->add_option("--interval", draft.interval, "Between two measurements (1s)")
      ->type_name("DURATION")
      ->check(is_duration);
  top->add_flag("--once", draft.top.once, "Measure once and end, as in a pipe");
  top->footer(kTopExamples);
}

TopOptions finished_top(const Draft& draft) {
  constexpr Duration kShortest = std::chrono::milliseconds(200);
  TopOptions top = draft.top;
  if (!draft.interval.empty()) {
    top.interval = std::max<Duration>(kShortest, *parse_duration(draft.interval));
  }
  return top;
}

Arguments finished(Draft draft, CommandOptions command) {
  Arguments arguments = std::move(draft.common);
  if (!draft.timeout.empty()) arguments.timeout = *parse_duration(draft.timeout);
  arguments.command = std::move(command);
  return arguments;
}

PutOptions finished_put(const Draft& draft) {
  PutOptions put = draft.put;
  if (!draft.rate.empty()) put.rate = *parse_rate(draft.rate);
  if (!draft.patience.empty()) put.patience = *parse_duration(draft.patience);
  return put;
}

RulesOptions finished_rules(const Draft& draft) {
  RulesOptions rules = draft.rules;
  if (!draft.since.empty()) rules.since = *parse_duration(draft.since);
  return rules;
}

MapOptions finished_map(const Draft& draft) {
  MapOptions map = draft.map;
  if (!draft.since.empty()) map.since = *parse_duration(draft.since);
  return map;
}

ReplayOptions finished_replay(const Draft& draft) {
  ReplayOptions replay = draft.replay;
  if (!draft.rate.empty()) replay.rate = *parse_rate(draft.rate);
  if (!draft.patience.empty()) replay.patience = *parse_duration(draft.patience);
  return replay;
}

StatusOptions finished_status(const Draft& draft) {
  StatusOptions status = draft.status;
  if (!draft.patience.empty()) status.patience = *parse_duration(draft.patience);
  return status;
}

ChaosOptions finished_chaos(const Draft& draft) {
  ChaosOptions chaos = draft.chaos;
  MischiefOptions& mischief = chaos.relay.mischief;
  if (!draft.duplicate.empty()) mischief.duplicate = *parse_percent(draft.duplicate);
  if (!draft.drop_acks.empty()) mischief.drop_acks = *parse_percent(draft.drop_acks);
  if (!draft.delay.empty()) mischief.delay = *parse_duration(draft.delay);
  if (!draft.ack_timeout.empty()) chaos.relay.ack_timeout = *parse_duration(draft.ack_timeout);
  if (!draft.patience.empty()) chaos.run.patience = *parse_duration(draft.patience);
  mischief.targets = {draft.services.begin(), draft.services.end()};
  return chaos;
}

Parsed usage(const std::string& text) {
  return {.arguments = std::nullopt, .text = "conga: " + text + "\n", .code = ExitCode::Usage};
}

CommandOptions chosen(std::string_view name, const Draft& draft) {
  if (name == "put") return finished_put(draft);
  if (name == "tap") return draft.tap;
  if (name == "trace") return draft.trace;
  if (name == "dlq") return draft.dlq;
  if (name == "audit") return draft.audit;
  if (name == "rules") return finished_rules(draft);
  if (name == "target") return draft.target;
  if (name == "journal") return draft.journal;
  if (name == "map") return finished_map(draft);
  if (name == "archive") return draft.archive;
  if (name == "replay") return finished_replay(draft);
  if (name == "why") return draft.why;
  if (name == "chaos") return finished_chaos(draft);
  if (name == "top") return finished_top(draft);
  return finished_status(draft);
}

/// What is missing if a group was named without one of its commands. CLI11's own check would hide
/// a mistyped command behind "a subcommand is required".
std::string missing_command(const CLI::App& group) {
  const auto commands = group.get_subcommands([](const CLI::App*) { return true; });
  if (commands.empty() || !group.get_subcommands().empty()) return "";
  std::string names;
  for (const CLI::App* command : commands) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return group.get_name() + " needs a command: one of " + names + " (--help tells more)";
}

}  // namespace

Parsed parse_arguments(int argc, const char* const* argv) {
  Draft draft;
  CLI::App app(kAbout, "conga");
  app.require_subcommand(0, 1)->fallthrough();
  app.get_formatter()->column_width(34);
  add_common(app, draft);
  add_put(app, draft);
  add_tap(app, draft);
  add_trace(app, draft);
  add_dlq(app, draft);
  add_audit(app, draft);
  add_rules(app, draft);
  add_status(app, draft);
  add_top(app, draft);
  add_target(app, draft);
  add_journal(app, draft);
  add_map(app, draft);
  add_archive(app, draft);
  add_replay(app, draft);
  add_why(app, draft);
  add_chaos(app, draft);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream complaint;
    const bool is_help = app.exit(error, out, complaint) == 0;
    return {.arguments = std::nullopt,
            .text = is_help ? out.str() : "conga: " + complaint.str(),
            .code = is_help ? ExitCode::Done : ExitCode::Usage};
  }
  std::string fault = missing_command(app);
  if (fault.empty()) fault = missing_command(*app.get_subcommands().front());
  const bool is_dlq = fault.empty() && app.got_subcommand("dlq");
  if (is_dlq) fault = fault_of(draft.dlq);
  const bool is_rules = fault.empty() && app.got_subcommand("rules");
  if (is_rules) fault = fault_of(draft.rules);
  const bool is_map = fault.empty() && app.got_subcommand("map");
  if (is_map) fault = fault_of(draft.map);
  const bool is_tap = fault.empty() && app.got_subcommand("tap");
  if (is_tap) fault = fault_of(draft.tap);
  const bool is_why = fault.empty() && app.got_subcommand("why");
  if (is_why) fault = fault_of(draft.why);
  const bool is_chaos = fault.empty() && app.got_subcommand("chaos");
  if (is_chaos) fault = fault_of(finished_chaos(draft));
  if (!fault.empty()) return usage(fault);
  CommandOptions command = chosen(app.get_subcommands().front()->get_name(), draft);
  return {.arguments = finished(std::move(draft), std::move(command)), .text = {}, .code = {}};
}

}  // namespace conga::cli
