// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/sidecar_metrics.h"

#include <algorithm>

namespace conga::bus {
namespace {

MetricLabels labels_of(const std::string& bus, const TargetName& name) {
  return {{"bus", bus}, {"rule", name.rule}, {"target", name.target}};
}

void measure_attempts(const MetricLabels& labels,
                      const TargetCounters& counted,
                      MetricsPage& page) {
  page.counter("conga_invocations_total",
               "Deliveries that were attempted and have ended, settled or given up.",
               labels,
               counted.invocations);
  page.counter("conga_invocation_attempts_total",
               "Deliveries sent to an instance, each attempt.",
               labels,
               counted.attempts);
  page.counter("conga_retry_invocation_attempts_total",
               "Attempts that were not the first of their delivery.",
               labels,
               counted.retry_attempts);
  page.counter("conga_successful_invocation_attempts_total",
               "Attempts that the service settled ok.",
               labels,
               counted.successful_attempts);
  page.histogram("conga_ingestion_to_invocation_start_latency_seconds",
                 "From the ingestion of an event until its first attempt was sent.",
                 labels,
                 counted.to_start,
                 kSecondsOfMicros);
  page.histogram("conga_ingestion_to_invocation_complete_latency_seconds",
                 "From the ingestion of an event until its first attempt ended, well or not.",
                 labels,
                 counted.to_complete,
                 kSecondsOfMicros);
  page.histogram("conga_ingestion_to_invocation_success_latency_seconds",
                 "From the ingestion of an event until it was settled ok.",
                 labels,
                 counted.to_success,
                 kSecondsOfMicros);
}

void measure_backlog(const Time& now,
                     const MetricLabels& labels,
                     const TargetState& target,
                     const CatchUpState& catch_up,
                     MetricsPage& page) {
  const std::size_t pending = target.ready + target.waiting + target.parked + target.in_flight
                              + static_cast<std::size_t>(catch_up.waiting);
  const Duration oldest = target.oldest ? now.steady - *target.oldest : Duration(0);
  page.gauge("conga_pending_deliveries",
             "Deliveries that have not ended, those in flight among them.",
             labels,
             static_cast<double>(pending));
  page.gauge("conga_catching_up_events",
             "Events of the journal still to be looked at for a target that began in the past.",
             labels,
             static_cast<double>(catch_up.left));
  page.gauge("conga_in_flight_deliveries",
             "Deliveries sent to an instance and not settled yet.",
             labels,
             static_cast<double>(target.in_flight));
  page.gauge("conga_oldest_pending_age_seconds",
             "Age of the oldest delivery that has not ended; 0 if there is none.",
             labels,
             static_cast<double>(std::max(oldest, Duration(0)).count()) * kSecondsOfMicros);
}

void measure_letters(const MetricLabels& labels, const LetterCounts& counted, MetricsPage& page) {
  page.counter("conga_failed_invocations_total",
               "Deliveries given up whose dead letter could not be stored at once.",
               labels,
               counted.failed);
  page.counter("conga_invocations_sent_to_dlq_total",
               "Deliveries stored in the dead-letter queue.",
               labels,
               counted.sent);
  page.counter("conga_invocations_failed_to_be_sent_to_dlq_total",
               "Tries to store a dead letter that failed; each is tried again.",
               labels,
               counted.failed_to_send);
}

void measure_archive(const MetricLabels& labels, const ArchiveState& state, MetricsPage& page) {
  page.counter("conga_archived_events_total",
               "Events that were copied into an archive.",
               labels,
               state.archived);
  page.gauge("conga_archive_waiting_events",
             "Events that are to be copied into an archive.",
             labels,
             static_cast<double>(state.waiting));
  page.gauge("conga_archive_size_bytes",
             "What an archive takes on disk.",
             labels,
             static_cast<double>(state.bytes));
}

void measure_expectation(const MetricLabels& labels,
                         const ExpectationState& state,
                         MetricsPage& page) {
  page.gauge("conga_expectations_open",
             "Events that are expected and have not come yet.",
             labels,
             static_cast<double>(state.open));
  page.counter(
      "conga_expectations_met_total", "Expected events that came in time.", labels, state.met);
  page.counter("conga_expectations_missed_total",
               "Expected events that did not come in time.",
               labels,
               state.missed);
}

void measure_node(const MetricLabels& labels, const StatusFacts& facts, MetricsPage& page) {
  const SidecarCounters& counted = facts.counters;
  page.counter(
      "conga_events_stored_total", "Events accepted into the journal.", labels, counted.accepted);
  page.counter("conga_duplicate_events_total",
               "Events put again that were known already.",
               labels,
               counted.duplicates);
  page.counter("conga_journal_full_total",
               "Events refused because the journal had no room.",
               labels,
               counted.journal_full);
  page.gauge("conga_dead_letters",
             "Dead letters in the queue.",
             labels,
             static_cast<double>(facts.dead_letters));
  page.gauge("conga_journal_bytes",
             "Size of the journal's files.",
             labels,
             static_cast<double>(facts.store.bytes));
  page.gauge("conga_journal_segments",
             "Files of the journal.",
             labels,
             static_cast<double>(facts.store.segments));
  page.counter("conga_unrecorded_endings_total",
               "Endings and failed attempts that a full disk kept out of the journal.",
               labels,
               facts.store.unrecorded);
  page.histogram("conga_journal_sync_latency_seconds",
                 "How long making a turn durable took: one write and one fdatasync.",
                 labels,
                 facts.syncs,
                 kSecondsOfMicros);
}

}  // namespace

void measure_sidecar(const Time& now,
                     const std::string& bus,
                     const StatusFacts& facts,
                     const DeliveryEngine& engine,
                     const LetterCountsByTarget& letters,
                     MetricsPage& page) {
  measure_node({{"bus", bus}}, facts, page);
  for (const ExpectationState& state : facts.expectations) {
    measure_expectation({{"bus", bus}, {"expectation", state.name}}, state, page);
  }
  for (const ArchiveState& state : facts.archives) {
    measure_archive({{"bus", bus}, {"archive", state.name}}, state, page);
  }
  LetterCountsByTarget all = letters;
  for (const TargetState& target : engine.targets()) {
    const MetricLabels labels = labels_of(bus, target.name);
    measure_attempts(labels, *target.counters, page);
    measure_backlog(now, labels, target, catch_up_of(facts, target.name), page);
    all.try_emplace(target.name);
  }
  for (const auto& [name, counted] : all) measure_letters(labels_of(bus, name), counted, page);
}

}  // namespace conga::bus
