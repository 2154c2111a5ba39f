// SPDX-License-Identifier: Apache-2.0
//
// Answers: the results of the sidecar's verbs as msgpack maps.
// Keys are in kebab-case, times RFC 3339 in UTC. The verbs, arguments → result:
//
// `sidecar.status`  {} →
//   {version, uptime, forwarder-generation, pending, in-flight, dead-letters,
//    journal: {events, bytes, segments, oldest-segment, low-water, pins, next-sequence, syncs,
//              unrecorded}: `pins` deliveries are pending in the oldest segment and keep it,
//    counters: {accepted, duplicates, dispatched, settled, retried, dead-lettered, ack-timeouts,
//               consumers-lost, stale-settlements, journal-full, dropped-batches, malformed},
//    targets: [{rule, target, service, state, pending, ready, waiting-retry, waiting-key, attempts,
//               retry-attempts, settled, in-flight, oldest}…], the three counted in this run,
//    services: [{service, instances: [{instance, credit, in-flight, last-heard}…]}…],
//    expectations: [{name, open, met, missed, passed-over}…], all but `open` in this run
//    archives: [{name, archived, waiting, bytes, fault}…]}, `archived` in this run; `fault` is
//    text, empty if all is well
//   A target's `pending` is all that has not ended, `in-flight` among it; `oldest` the age of the
//   oldest, or null; `state` one of `ok`, `paused`, `no-instance`, `no-credit`, `removed`,
//   `no-table`. `last-heard` is an age. At most 2 000 targets are listed, those with something
//   pending first.
//
// A dead-letter FILTER is a map of any of: numbers: [integer…], rule, target, event-id,
// error-code, correlation-id (texts). A dead letter must match all of what is given.
//
// `dlq.list`     FILTER + {after: number, limit: 1 to 1000, events: boolean} →
//   {count: of all in the queue, letters: [LETTER…]}, ascending by number, all above `after`; with
//   `events` each has its {event}.
// `dlq.show`     {numbers: [number]} → LETTER + {attempts: [ATTEMPT…], event}
// `dlq.redrive`  FILTER, or {all: true}, + {canaries: integer, rate: integer} → TASK
//   Puts each delivery back into its target's queue, attempts and age counted anew, the event and
//   its id unchanged, and removes the dead letter: first `canaries` of them (0), then, once these
//   are settled, the others, at most `rate` in a second (0: no limit). It stops when a canary
//   fails, or another one for the cause (code) that its dead letter had. One whose target is not in
//   the rules is refused and stays. Answered when it has begun; `dlq.tasks` tells how it goes.
// `dlq.tasks`    {task: number?} → {tasks: [TASK…]}: under way, and the last few that have ended.
// `dlq.cancel`   {task: number} → TASK
// `dlq.purge`    FILTER, or {all: true} → {purged}
//   Redrive and purge mean the dead letters that exist when they are asked for. Asked again with
//   the same request id they do nothing more and answer the same.
//
// TASK: {task: number, state: `canary`, `redriving`, `done`, `stopped` or `cancelled`, asked,
// total,
//   redriven, settled, dead-lettered, refused, stop: null or {number, event-id, code, message}}.
//   Tasks are numbered from 1 in each run of the sidecar, and end with it.
//
// `audit.list`   {before: number?, limit: integer?} →
//   {entries: [{number, time, by, client, verb, arguments: JSON, outcome: JSON}…]}, newest first:
//   every redrive, cancel, purge, pause and resume. These take {by: text}: who asks.
//
// LETTER: {number, rule, target, service, event-id, source, detail-type, correlation-id,
//   error-code, error-message, exhausted-retry-condition, retry-attempts, first-attempt,
//   last-attempt, time, sequence}; the attempt times are null if there was no attempt.
//
// `trace`  {id: event id or correlation id} → {events: [EVENT…], truncated}
//   EVENT: {sequence, id, source, detail-type, correlation-id, causation-id, time, ingested,
//     deliveries: [{rule, target, outcome, attempts: [ATTEMPT…]}…]}
//   ATTEMPT: {attempt, instance, sent, ended, outcome, code, message}
//   What became of deliveries is told as far as the index has read the journal, which is behind by
//   a moment.
//
// `target.pause`, `target.resume`  {target: name, rule: name?} → {targets: [{rule, target,
// paused}…]}
//   All targets of that name, or the one of that rule. `NotFound`: there is none. Kept over
//   restarts.
//
// Errors: `InvalidArguments`, `NotFound`, `TargetRemoved`, `JournalFull`, `UnknownVerb`,
// `Unavailable`, `Busy` (many redrives or purges are under way already).

#pragma once

#include "bus/sidecar/archives.h"
#include "bus/sidecar/audit_log.h"
#include "bus/sidecar/catch_ups.h"
#include "bus/sidecar/dead_letters.h"
#include "bus/sidecar/delivery_engine.h"
#include "bus/sidecar/event_store.h"
#include "bus/sidecar/expectation_watch.h"
#include "bus/sidecar/redrive_tasks.h"
#include "bus/sidecar/trace_source.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/metrics/metrics.h"

#include <cstdint>
#include <string>
#include <vector>

namespace conga::bus {

/// What the Node counts beside the engine.
struct SidecarCounters {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t journal_full = 0;     ///< Events refused for want of room.
  std::uint64_t dropped_batches = 0;  ///< Routed with a table that is not known (any more).
  std::uint64_t malformed = 0;        ///< Frames, or objects in them.
};

struct StatusFacts {
  Duration uptime{0};
  std::uint64_t generation = 0;
  std::uint64_t dead_letters = 0;
  StoreStats store;
  SidecarCounters counters;
  LatencyCounts syncs;  ///< Of the journal; empty unless the shell gave a stopwatch.
  std::vector<ExpectationState> expectations;
  std::vector<ArchiveState> archives;
  std::vector<CatchUpState> catch_ups = {};
};

/// Of that target; all zeros: there is none.
CatchUpState catch_up_of(const StatusFacts& facts, const TargetName& name);

std::string status_answer(const Time& now, const StatusFacts& facts, const DeliveryEngine& engine);
std::string list_answer(std::uint64_t count, const std::vector<DeadLetter>& letters, bool events);
std::string letter_answer(const DeadLetter& letter, const std::vector<TracedAttempt>& attempts);
std::string trace_answer(const std::vector<TracedEvent>& events, bool truncated);
std::string task_answer(const RedriveTask& task);
std::string tasks_answer(const std::vector<RedriveTask>& tasks);
std::string audit_answer(const std::vector<AuditEntry>& entries);
std::string purge_answer(std::uint64_t purged);
std::string targets_answer(const std::vector<TargetName>& names, bool paused);

}  // namespace conga::bus
