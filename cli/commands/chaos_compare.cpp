// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/chaos_compare.h"

#include "cli/chaos/blame.h"
#include "cli/complain.h"
#include "cli/declarations.h"
#include "cli/line_source.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

namespace conga::cli {
namespace {

constexpr std::size_t kShown = 3;  ///< Findings of a service, and changes of a finding.

Result<RunRecord> read_run(Files& files, const std::string& directory) {
  RunRecord run;
  JournalReader reader([&run](const JournalEntry& entry) { run.add(entry); });
  const auto scan = read_journal(files, directory, reader);
  if (!scan) return scan.failure();
  if (run.events().empty()) {
    return fail(Fault::Permanent, directory + ": holds no event: nothing was put in this run");
  }
  if (run.pending() > 0) {
    return fail(Fault::Permanent,
                directory + ": the run is not over: deliveries are pending ("
                    + std::to_string(run.pending())
                    + "); wait with `conga status --idle`, then stop the sidecar, which writes "
                      "the last endings late");
  }
  return run;
}

Result<Deeds> read_deeds(const std::string& path) {
  Deeds deeds;
  if (path.empty()) return deeds;
  const auto lines = open_lines(path);
  if (!lines) return lines.failure();
  std::string line;
  for (std::size_t number = 1;;) {
    const LineSource::Next next = (*lines)->next(line);
    if (next == LineSource::Next::End) return deeds;
    if (next == LineSource::Next::Broken) return fail(Fault::Permanent, line);
    if (next == LineSource::Next::Later) {
      (*lines)->wait();
      continue;
    }
    auto deed = read_deed(line);
    if (!deed) {
      return fail(Fault::Permanent, path + ":" + std::to_string(number) + ": " + deed.error().what);
    }
    deeds[deed->event].push_back(std::move(*deed));
    ++number;
  }
}

std::string times(std::size_t count) {
  if (count == 1) return "once";
  return count == 2 ? "twice" : std::to_string(count) + " times";
}

std::string of_flow(const std::string& correlation_id) {
  return correlation_id.empty() ? "" : " of " + correlation_id;
}

/// What befell the cause on its way: `was delivered twice, and again after AckTimeout`; empty if
/// nothing did.
std::string ordeal_of(const Finding& finding) {
  std::string text;
  Duration held{};
  for (const Deed& deed : finding.deeds) {
    if (deed.plan.copy) text = "was delivered twice";
    held = std::max(held, deed.plan.hold);
  }
  if (!finding.redelivered.empty()) {
    text +=
        (text.empty() ? "was delivered again after " : ", and again after ") + finding.redelivered;
  }
  const bool only_held = text.empty() && held > Duration(0);
  return only_held ? "was held for " + human_duration(held) : text;
}

std::string text_of(const std::vector<FactChange>& changes) {
  std::string text;
  for (std::size_t each = 0; each < std::min(changes.size(), kShown); ++each) {
    const FactChange& change = changes[each];
    const auto shown = [](const std::string& fact) { return fact.empty() ? "absent" : fact; };
    text += (each == 0 ? "" : ", ") + change.pointer + " is " + shown(change.chaos) + " instead of "
            + shown(change.clean);
  }
  if (changes.size() > kShown) text += ", …";
  return text;
}

std::string effect_of(const Finding& finding) {
  switch (finding.symptom) {
    case Symptom::DeadLetter:
      return "became a dead letter: " + finding.code;
    case Symptom::Changed:
      return finding.emitted.detail_type + " says something else: " + text_of(finding.changes);
    case Symptom::Missing:
      if (finding.chaos == 0) return finding.emitted.detail_type + " was not emitted";
      [[fallthrough]];
    case Symptom::Repeated:
    case Symptom::Extra:
      break;
  }
  const std::string instead = finding.clean == 0 ? "" : " instead of " + times(finding.clean);
  return finding.emitted.detail_type + " was emitted " + times(finding.chaos) + instead;
}

std::string text_of(const Finding& finding) {
  const std::string effect = effect_of(finding);
  if (finding.cause == nullptr) return effect + of_flow(finding.emitted.correlation_id);
  const std::string cause = finding.cause->detail_type + of_flow(finding.cause->correlation_id);
  const std::string ordeal = ordeal_of(finding);
  if (!ordeal.empty()) return cause + " " + ordeal + ", and " + effect;
  if (finding.symptom == Symptom::DeadLetter) return cause + " " + effect;
  return "on " + cause + ", " + effect;
}

std::string text_of(const Culprit& culprit) {
  std::string text =
      culprit.service
      + (culprit.is_not_idempotent() ? " is not idempotent:\n" : " depends on order or time:\n");
  std::vector<const Finding*> order;
  for (const Finding& finding : culprit.findings) order.push_back(&finding);
  // What shows the fault best comes first.
  std::stable_partition(order.begin(), order.end(), [](const Finding* finding) {
    return finding->symptom == Symptom::Repeated;
  });
  for (std::size_t each = 0; each < std::min(order.size(), kShown); ++each) {
    text += "  " + text_of(*order[each]) + "\n";
  }
  if (order.size() > kShown) {
    text += "  … and " + std::to_string(order.size() - kShown) + " more (--json tells all)\n";
  }
  return text;
}

/// Of what is not compared: in how many event types it was found to differ.
std::map<std::string, std::size_t> kinds_by_pointer(const RunDifference& difference) {
  std::map<std::string, std::size_t> kinds;
  for (const auto& [kind, pointers] : difference.noise) {
    for (const std::string& pointer : pointers) ++kinds[pointer];
  }
  return kinds;
}

std::string text_of(const RunDifference& difference, const Blame& blame) {
  std::string text;
  for (const Culprit& culprit : blame.culprits) text += text_of(culprit);
  if (blame.downstream > 0) {
    text += counted(blame.downstream, "further difference") + ": of events that only follow\n";
  }
  for (const FlowKey& key : difference.unjudged) {
    text += "not compared: " + key.detail_type + of_flow(key.correlation_id)
            + ": not as many even in two clean runs\n";
  }
  for (const auto& [pointer, kinds] : kinds_by_pointer(difference)) {
    text += "not compared: " + pointer + " (of " + counted(kinds, "event type")
            + "): differs even in two clean runs\n";
  }
  const bool same = difference.groups.empty() && blame.culprits.empty();
  return printable_lines(text) + counted(difference.flows, "flow") + ", "
         + counted(difference.events, "event")
         + (same ? ": the same as in the clean run\n" : ": not as in the clean run\n");
}

std::string_view name_of(Symptom symptom) {
  switch (symptom) {
    case Symptom::Repeated:
      return "repeated";
    case Symptom::Extra:
      return "extra";
    case Symptom::Missing:
      return "missing";
    case Symptom::Changed:
      return "changed";
    case Symptom::DeadLetter:
      return "dead-letter";
  }
  return "";
}

void pack(Packer& packer, const FlowKey& key) {
  packer.key("correlation-id").string(key.correlation_id).key("source").string(key.source);
  packer.key("detail-type").string(key.detail_type);
}

void pack_cause(Packer& packer, const Finding& finding) {
  packer.key("cause");
  if (finding.cause == nullptr) {
    packer.null();
    return;
  }
  packer.map(3).key("event").string(finding.cause->id.text());
  packer.key("source").string(finding.cause->source);
  packer.key("detail-type").string(finding.cause->detail_type);
}

void pack(Packer& packer, const Finding& finding) {
  packer.map(11);
  pack(packer, finding.emitted);
  packer.key("symptom").string(name_of(finding.symptom));
  packer.key("clean").unsigned_integer(finding.clean);
  packer.key("chaos").unsigned_integer(finding.chaos).key("code").string(finding.code);
  pack_cause(packer, finding);
  packer.key("redelivered").string(finding.redelivered);
  packer.key("deeds").array(finding.deeds.size());
  for (const Deed& deed : finding.deeds) packer.raw(*json_to_msgpack(json_of(deed)));
  packer.key("changes").array(finding.changes.size());
  for (const FactChange& change : finding.changes) {
    packer.map(3).key("pointer").string(change.pointer);
    packer.key("clean").string(change.clean).key("chaos").string(change.chaos);
  }
}

std::string json_of(const RunDifference& difference, const Blame& blame) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(6).key("flows").unsigned_integer(difference.flows);
  packer.key("events").unsigned_integer(difference.events);
  packer.key("consumers").array(blame.culprits.size());
  for (const Culprit& culprit : blame.culprits) {
    packer.map(3).key("service").string(culprit.service);
    packer.key("idempotent").boolean(!culprit.is_not_idempotent());
    packer.key("findings").array(culprit.findings.size());
    for (const Finding& finding : culprit.findings) pack(packer, finding);
  }
  packer.key("downstream").unsigned_integer(blame.downstream);
  packer.key("not-compared").array(difference.unjudged.size());
  for (const FlowKey& key : difference.unjudged) {
    packer.map(3);
    pack(packer, key);
  }
  packer.key("noise").array(difference.noise.size());
  for (const auto& [kind, pointers] : difference.noise) {
    packer.map(3).key("source").string(kind.first).key("detail-type").string(kind.second);
    packer.key("pointers").array(pointers.size());
    for (const std::string& pointer : pointers) packer.string(pointer);
  }
  return to_json(Value::trusted(bytes)) + "\n";
}

std::string other_input_text(const FlowKey& key) {
  return "the runs were given different events: " + key.detail_type + of_flow(key.correlation_id)
         + " of " + key.source
         + " is not the same in both (if a service emits it: name it with --manifests)";
}

/// All that is compared.
struct Trial {
  std::vector<RunRecord> clean;
  RunRecord chaos;
  Deeds deeds;
  std::vector<bus::Declaration> declared;
};

Result<Trial> prepare(Files& files, const CompareOptions& options) {
  Trial trial;
  auto declared = load_declarations(options.manifests);
  if (!declared) return declared.failure();
  trial.declared = std::move(*declared);
  auto deeds = read_deeds(options.deeds);
  if (!deeds) return deeds.failure();
  trial.deeds = std::move(*deeds);
  for (const std::string& directory : options.clean) {
    auto run = read_run(files, directory);
    if (!run) return run.failure();
    trial.clean.push_back(std::move(*run));
  }
  auto chaos = read_run(files, options.chaos);
  if (!chaos) return chaos.failure();
  trial.chaos = std::move(*chaos);
  return trial;
}

ExitCode refuse(Screen& screen, std::string_view what) {
  complain(screen, what);
  return ExitCode::Usage;
}

}  // namespace

std::string fault_of(const CompareOptions& options) {
  for (const std::string& pointer : options.ignored) {
    if (!pointer.starts_with('/')) {
      return "--ignore: '" + pointer + "' is no JSON pointer into the event: /detail/total";
    }
  }
  return "";
}

ExitCode compare_runs(Files& files, const CompareOptions& options, Screen& screen, Look look) {
  const auto trial = prepare(files, options);
  if (!trial) return refuse(screen, trial.error().what);
  if (!options.deeds.empty() && trial->deeds.empty()) {
    return refuse(screen,
                  options.deeds
                      + ": nothing was done to any delivery, so the comparison shows nothing: put "
                        "more events, or raise the shares");
  }
  const RunDifference difference = difference_of(trial->clean, trial->chaos, options.ignored);
  const Blame blamed =
      blame(difference, trial->clean.front(), trial->chaos, trial->deeds, trial->declared);
  if (!blamed.other_input.empty()) {
    return refuse(screen, other_input_text(blamed.other_input.front()));
  }
  screen.print(look.json ? json_of(difference, blamed) : text_of(difference, blamed));
  const bool same = difference.groups.empty() && blamed.culprits.empty();
  return same ? ExitCode::Done : ExitCode::Refused;
}

}  // namespace conga::cli
