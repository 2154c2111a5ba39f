// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/trace_index.h"

#include "bus/sidecar/sqlite_guard.h"
#include "common/wire/event/event.h"

#include <algorithm>
#include <array>
#include <utility>

namespace conga::bus {
namespace {

constexpr std::size_t kPruneEvery = 16;  // Calls of follow(): that many batches are pruned.

constexpr std::array<const char*, 1> kVersions{R"(
  CREATE TABLE events (
    sequence       INTEGER PRIMARY KEY,
    position       INTEGER NOT NULL,
    event_id       TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id   TEXT NOT NULL,
    source         TEXT NOT NULL,
    detail_type    TEXT NOT NULL,
    time           TEXT NOT NULL,
    ingested       TEXT NOT NULL,
    hops           INTEGER NOT NULL,
    open           INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX events_by_id ON events (event_id);
  CREATE INDEX events_by_correlation ON events (correlation_id) WHERE correlation_id <> '';
  CREATE INDEX events_by_cause ON events (causation_id) WHERE causation_id <> '';
  CREATE TABLE deliveries (
    sequence INTEGER NOT NULL,
    rule     TEXT NOT NULL,
    target   TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    instance TEXT NOT NULL,
    sent     TEXT,
    ended    TEXT,
    outcome  TEXT NOT NULL,
    code     TEXT NOT NULL,
    message  TEXT NOT NULL,
    PRIMARY KEY (sequence, rule, target, attempt)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE follower (only INTEGER PRIMARY KEY CHECK (only = 1), cursor TEXT NOT NULL) STRICT;
)"};

constexpr const char* kInsertEvent = R"(
  INSERT OR REPLACE INTO events (sequence, position, event_id, correlation_id, causation_id,
    source, detail_type, time, ingested, hops, open)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
)";

/// An attempt that failed and the ending of its delivery are one row: what the ending does not say
/// stays as it is.
constexpr const char* kInsertAttempt = R"(
  INSERT INTO deliveries (sequence, rule, target, attempt, instance, sent, ended, outcome, code,
    message)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (sequence, rule, target, attempt) DO UPDATE SET
    instance = CASE excluded.instance WHEN '' THEN instance ELSE excluded.instance END,
    sent     = coalesce(excluded.sent, sent),
    ended    = excluded.ended,
    outcome  = excluded.outcome,
    code     = CASE excluded.code WHEN '' THEN code ELSE excluded.code END,
    message  = CASE excluded.code WHEN '' THEN message ELSE excluded.message END
)";

/// By event id, with the flow that it belongs to; without a correlation id, with its direct
/// effects. Or all of a flow.
constexpr const char* kFind = R"(
  WITH named AS (SELECT correlation_id FROM events WHERE event_id = ?2)
  SELECT sequence, position FROM events
  WHERE event_id = ?2
     OR (correlation_id <> '' AND correlation_id = ?1)
     OR (correlation_id <> '' AND correlation_id IN (SELECT correlation_id FROM named))
     OR (causation_id <> '' AND causation_id = ?2)
  ORDER BY sequence LIMIT ?3
)";

constexpr const char* kPruneEvents = R"(
  DELETE FROM events WHERE sequence IN
    (SELECT sequence FROM events WHERE sequence < ?1 AND open <= 0 LIMIT ?2)
)";

constexpr const char* kPruneDeliveries = R"(
  DELETE FROM deliveries WHERE (sequence, rule, target, attempt) IN
    (SELECT sequence, rule, target, attempt FROM deliveries
     WHERE sequence < ?1 AND sequence NOT IN (SELECT sequence FROM events WHERE sequence < ?1)
     LIMIT ?2)
)";

constexpr const char* kDropSchema = R"(
  DROP TABLE IF EXISTS events;
  DROP TABLE IF EXISTS deliveries;
  DROP TABLE IF EXISTS follower;
  PRAGMA user_version = 0;
)";

TracedDelivery delivery_of(const TargetName& target, std::vector<TracedAttempt> attempts) {
  TracedDelivery delivery;
  delivery.target = target;
  delivery.outcome = "pending";
  for (const TracedAttempt& attempt : attempts) {
    if (attempt.outcome != "retry") delivery.outcome = attempt.outcome;
  }
  // An ending without any attempt is said by the outcome alone.
  std::erase_if(attempts, [](const TracedAttempt& attempt) { return attempt.number == 0; });
  delivery.attempts = std::move(attempts);
  return delivery;
}

}  // namespace

struct TraceIndex::Statements {
  explicit Statements(SQLite::Database& database)
      : event(database, kInsertEvent),
        attempt(database, kInsertAttempt),
        ended(database, "UPDATE events SET open = open - 1 WHERE sequence = ?"),
        cursor(database, "INSERT OR REPLACE INTO follower (only, cursor) VALUES (1, ?)"),
        find(database, kFind),
        attempts(database,
                 "SELECT rule, target, attempt, instance, sent, ended, outcome, code, message "
                 "FROM deliveries WHERE sequence = ? ORDER BY rule, target, attempt"),
        prune_events(database, kPruneEvents),
        prune_deliveries(database, kPruneDeliveries) {}

  SQLite::Statement event;
  SQLite::Statement attempt;
  SQLite::Statement ended;
  SQLite::Statement cursor;
  SQLite::Statement find;
  SQLite::Statement attempts;
  SQLite::Statement prune_events;
  SQLite::Statement prune_deliveries;
};

TraceIndex::TraceIndex(DatabaseHandle database, TraceIndexOptions options)
    : database_(std::move(database)), options_(options) {}

TraceIndex::~TraceIndex() = default;

Result<std::unique_ptr<TraceIndex>> TraceIndex::open(const std::string& path,
                                                     TraceIndexOptions options) {
  auto database = open_database(path, DatabaseSync::Normal);
  if (!database) return database.failure();
  return open(std::move(*database), options);
}

Result<std::unique_ptr<TraceIndex>> TraceIndex::open(DatabaseHandle database,
                                                     TraceIndexOptions options) {
  std::unique_ptr<TraceIndex> index(new TraceIndex(std::move(database), options));
  if (auto started = index->start(); !started) return started.failure();
  return index;
}

Result<> TraceIndex::start() {
  roll_back(*database_);
  auto ready = prepare_schema(*database_, kVersions);
  if (!ready && ready.error().code == "OtherVersion") {
    // Derived: the journal has it all.
    if (database_->tryExec(kDropSchema) == SQLite::OK) {
      ready = prepare_schema(*database_, kVersions);
    }
  }
  if (!ready) return ready;
  return guard(*database_, [this]() -> Result<> {
    statements_ = std::make_unique<Statements>(*database_);
    SQLite::Statement query(*database_, "SELECT cursor FROM follower");
    if (query.executeStep()) cursor_ = text_of(query.getColumn(0));
    return {};
  });
}

Result<bool> TraceIndex::follow(EventStore& store) {
  std::string cursor = cursor_;
  const auto entries = store.follow(cursor, options_.batch);
  if (!entries) return entries.failure();
  if (!entries->empty()) {
    if (auto recorded = record(*entries, cursor); !recorded) return recorded.failure();
  }
  cursor_ = cursor;
  if (until_prune_-- == 0) {
    until_prune_ = kPruneEvery;
    if (auto pruned = prune(store); !pruned) return pruned.failure();
  }
  return entries->size() == options_.batch;
}

Result<> TraceIndex::record(const std::vector<JournalEntry>& entries, const std::string& cursor) {
  return guard(*database_, [&]() -> Result<> {
    SQLite::Transaction transaction(*database_);
    for (const JournalEntry& entry : entries) {
      switch (entry.kind) {
        case JournalEntry::Kind::Event:
          record_event(entry);
          break;
        case JournalEntry::Kind::Settled:
          record_settled(entry.settled);
          break;
        case JournalEntry::Kind::Retry:
          record_retry(entry.retry);
          break;
      }
    }
    Binder(statements_->cursor).text(cursor).run();
    transaction.commit();
    return {};
  });
}

void TraceIndex::record_event(const JournalEntry& entry) {
  const auto view = read_event(entry.event.bytes);
  if (!view) return;  // The bus lets no such event pass; nobody could ask for it.
  Binder(statements_->event)
      .integer(entry.ref.sequence)
      .integer(entry.ref.position)
      .text(view->id.text())
      .text(view->correlation_id)
      .text(view->causation_id ? view->causation_id->text() : std::string())
      .text(view->source)
      .text(view->detail_type)
      .text(view->time)
      .time(entry.event.ingested)
      .integer(view->hops)
      .integer(entry.event.targets.size())
      .run();
}

void TraceIndex::record_settled(const SettledRecord& settled) {
  const bool tried = settled.attempts > 0;
  Binder(statements_->attempt)
      .integer(settled.sequence)
      .text(settled.target.rule)
      .text(settled.target.target)
      .integer(settled.attempts)
      .text(settled.instance)
      .time(tried ? std::optional(settled.last_attempt) : std::nullopt)
      .time(settled.at)
      .text(settled.ending == Ending::Settled ? "ok" : "dead-letter")
      .text(settled.code)
      .text(settled.message)
      .run();
  Binder(statements_->ended).integer(settled.sequence).run();
}

void TraceIndex::record_retry(const RetryRecord& retry) {
  Binder(statements_->attempt)
      .integer(retry.sequence)
      .text(retry.target.rule)
      .text(retry.target.target)
      .integer(retry.attempt)
      .text(retry.instance)
      .time(retry.sent)
      .time(retry.failed)
      .text("retry")
      .text(retry.code)
      .text(retry.message)
      .run();
}

/// Forgets what the journal has dropped. Events that are still owed were carried over.
Result<> TraceIndex::prune(EventStore& store) {
  std::string oldest_cursor;
  const auto oldest = store.follow(oldest_cursor, options_.batch);
  if (!oldest) return oldest.failure();
  const auto event = std::ranges::find(*oldest, JournalEntry::Kind::Event, &JournalEntry::kind);
  if (event == oldest->end()) return {};
  return guard(*database_, [&]() -> Result<> {
    Binder(statements_->prune_events)
        .integer(event->ref.sequence)
        .integer(kPruneEvery * options_.batch)
        .run();
    Binder(statements_->prune_deliveries)
        .integer(event->ref.sequence)
        .integer(kPruneEvery * options_.batch)
        .run();
    return {};
  });
}

Result<std::vector<EventRef>> TraceIndex::find(std::string_view id, std::size_t limit) {
  return guard(*database_, [&]() -> Result<std::vector<EventRef>> {
    Binder binder(statements_->find);
    // Event ids are stored in lower case; a correlation id is whatever it is.
    const auto uuid = Uuid::parse(id);
    binder.text(id).text(uuid ? uuid->text() : std::string()).integer(limit);
    std::vector<EventRef> found;
    while (statements_->find.executeStep()) {
      found.push_back(
          {integer_of(statements_->find.getColumn(0)), integer_of(statements_->find.getColumn(1))});
    }
    return found;
  });
}

Result<TraceIndex::Attempts> TraceIndex::attempts_of(Sequence sequence) {
  return guard(*database_, [&]() -> Result<Attempts> {
    SQLite::Statement& query = statements_->attempts;
    Binder binder(query);
    binder.integer(sequence);
    Attempts attempts;
    while (query.executeStep()) {
      TracedAttempt attempt;
      attempt.number = static_cast<std::uint32_t>(integer_of(query.getColumn(2)));
      attempt.instance = text_of(query.getColumn(3));
      attempt.sent = time_of(query.getColumn(4));
      attempt.ended = time_of(query.getColumn(5));
      attempt.outcome = text_of(query.getColumn(6));
      attempt.code = text_of(query.getColumn(7));
      attempt.message = text_of(query.getColumn(8));
      const TargetName target{text_of(query.getColumn(0)), text_of(query.getColumn(1))};
      attempts[target].push_back(std::move(attempt));
    }
    return attempts;
  });
}

Result<std::vector<TracedEvent>> TraceIndex::trace(EventStore& store,
                                                   std::string_view id,
                                                   std::size_t limit) {
  const auto found = find(id, limit);
  if (!found) return found.failure();
  std::vector<TracedEvent> events;
  for (const EventRef& ref : *found) {
    auto stored = store.read(ref);
    if (!stored) continue;  // Dropped by retention since it was indexed.
    auto attempts = attempts_of(ref.sequence);
    if (!attempts) return attempts.failure();
    TracedEvent event;
    event.sequence = ref.sequence;
    event.ingested = stored->ingested;
    event.bytes = std::move(stored->bytes);
    for (const TargetName& target : stored->targets) {
      event.deliveries.push_back(delivery_of(target, std::move((*attempts)[target])));
      attempts->erase(target);
    }
    // Targets that a carried event no longer names, because they had ended.
    for (auto& entry : *attempts) {
      event.deliveries.push_back(delivery_of(entry.first, std::move(entry.second)));
    }
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace conga::bus
