// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/catch_ups.h"

#include <algorithm>
#include <span>
#include <utility>

namespace conga::bus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// There is one piece under way at a time, so live traffic never waits for more than that. Of
/// records that are no events, or none for the target, a piece is bounded too.
constexpr std::size_t kRecords = 8;  ///< Read from the journal at a time.
constexpr int kMostReads = 256;      ///< Of so many records, in a piece.

constexpr Duration kAskAgain = seconds(1);
constexpr Duration kTryAgain = seconds(1);          ///< When the disk is full.
constexpr Duration kSavePause = milliseconds(100);  ///< What a crash repeats at most.

}  // namespace

void CatchUps::set_book(std::unique_ptr<StartedTargets> book) {
  book_ = std::move(book);
  starts_ = book_->targets();
  for (const auto& [name, start] : starts_) {
    if (start.catches_up()) running_[name].start = start;
    if (start.caught_up != 0) recovered_[name].start = start;
  }
}

bool CatchUps::recover(const Time& now, const PendingDelivery& delivery) {
  // What was tried already had all that comes before it behind it.
  const bool may_wait = !delivery.again && delivery.attempts == 0;
  const Waiting waiting{delivery.event, delivery.ingested};
  const auto running = running_.find(delivery.target);
  if (running != running_.end()) {
    if (may_wait) running->second.waiting.push_back(waiting);
    return may_wait;
  }
  const auto recovered = recovered_.find(delivery.target);
  if (recovered == recovered_.end()) return false;
  const Start& start = recovered->second.start;
  if (delivery.event.sequence >= start.caught_up) {
    release(now, delivery.target, recovered->second.waiting);
    recovered_.erase(recovered);
    return false;
  }
  const bool waits = may_wait && delivery.event.sequence >= start.until;
  if (waits) recovered->second.waiting.push_back(waiting);
  return waits;
}

void CatchUps::set_store(const Time& now, EventStore& store) {
  for (const auto& [name, recovered] : std::exchange(recovered_, {})) {
    release(now, name, recovered.waiting);
  }
  store_ = &store;
  keep_journal();
}

void CatchUps::set_table(const Time& now, const LinkTable& table) {
  boot_ = table.boot;
  generation_ = table.generation;
  asked_.reset();
  std::set<TargetName> listed;
  for (const LinkTarget& target : table.targets) listed.insert({target.rule, target.target});
  StartsByTarget starts = starts_;
  std::erase_if(starts, [&](const auto& start) { return !listed.contains(start.first); });
  for (const auto& [name, start] : starts_) {
    if (!listed.contains(name)) leave(now, name);
  }
  engine_.set_table(now, table.targets);
  for (const LinkTarget& target : table.targets) begin(now, target, starts);
  for (std::uint32_t position = 0; position < table.targets.size(); ++position) {
    const LinkTarget& target = table.targets[position];
    const auto running = running_.find({target.rule, target.target});
    if (running != running_.end()) running->second.position = position;
  }
  unsaved_ = unsaved_ || starts != starts_;
  starts_ = std::move(starts);
  save_at_ = now.steady;
  save(now);
  keep_journal();
}

/// The engine buries what waits, as all that is owed to a target that has left the rules.
void CatchUps::leave(const Time& now, const TargetName& name) {
  const auto running = running_.find(name);
  if (running == running_.end()) return;
  release(now, name, running->second.waiting);
  running_.erase(running);
  unrecorded_.erase(name);
}

/// A target that is new begins where its `start` says.
void CatchUps::begin(const Time& now, const LinkTarget& target, StartsByTarget& starts) {
  const TargetName name{target.rule, target.target};
  const auto [start, is_new] = starts.try_emplace(name);
  if (!is_new || !target.start) return;
  const Sequence next = store_->stats().next_sequence;
  if (next == 1) return;
  if (!book_) {
    log_.complain(now, "start", "this sidecar has no place to remember starts: `start` is ignored");
    return;
  }
  start->second = {.until = next,
                   .caught_up = 0,
                   .since = *target.start,
                   .cursor = store_->cursor_at(*target.start)};
  running_[name].start = start->second;
  unrecorded_.insert(name);
  log_.info("a new target begins in the past",
            {{"rule", name.rule}, {"target", name.target}, {"until", next}});
}

bool CatchUps::may_owe(std::span<const TargetName> targets) const {
  if (unrecorded_.empty()) return true;
  return std::ranges::none_of(
      targets, [this](const TargetName& target) { return unrecorded_.contains(target); });
}

void CatchUps::accept(const Time& now, TargetId target, const EventRef& event) {
  if (!running_.empty()) {
    const auto running = running_.find(engine_.name_of(target));
    if (running != running_.end()) {
      running->second.waiting.push_back({event, now.wall});
      return;
    }
  }
  engine_.accept(now, target, event);
}

Result<> CatchUps::on_matched(const Time& now, const LinkMatched& matched) {
  const bool current = asked_ && !asked_->matched && matched.boot == boot_
                       && matched.generation == generation_ && matched.ticket == asked_->ticket;
  if (!current) return {};
  const std::size_t events = asked_->piece.events.size();
  if (!matched.indexes.empty() && matched.indexes.back() >= events) {
    log_.complain(now, "catch-up", "the bus answered about events that it was not asked about");
    return {};
  }
  asked_->matched = matched.indexes;
  return place(now);
}

/// Owes the target what is for it, durably with the turn.
Result<> CatchUps::place(const Time& now) {
  Asked& asked = *asked_;
  const TargetName& name = asked.piece.target;
  const auto target = engine_.find(name);
  Running& running = running_.at(name);
  for (; asked.placed < asked.matched->size(); ++asked.placed) {
    const std::string& event = asked.piece.events[(*asked.matched)[asked.placed]];
    const auto ref = store_->append_again(now.wall, std::span(&name, 1), event);
    if (!ref && ref.error().fault != Fault::Transient) return ref.failure();
    if (!ref) {
      log_.complain(now, "catch-up", ref.error().what, {{"target", name.target}});
      asked.again = now.steady + kTryAgain;
      return {};
    }
    engine_.accept(now, *target, *ref);
    ++running.owed;
  }
  move_on(asked.piece);
  asked_.reset();
  return {};
}

void CatchUps::move_on(const Piece& piece) {
  Running& running = running_.at(piece.target);
  running.start.cursor = piece.next;
  running.looked = piece.looked;
  running.done = piece.last;
  starts_[piece.target] = running.start;
  unsaved_ = true;
}

Result<> CatchUps::step(const Time& now, std::string& ask_body) {
  if (running_.empty() && !unsaved_) return {};
  for (auto running = running_.begin(); running != running_.end();) {
    const auto done = running++;
    if (done->second.done) finish(now, done);
  }
  if (unsaved_ && now.steady >= save_at_) save(now);
  if (asked_ && asked_->matched) {
    return now.steady >= asked_->again ? place(now) : Result<>();
  }
  if (asked_) {
    if (now.steady >= asked_->again) ask(now, ask_body);
    return {};
  }
  const auto running = next_running();
  if (running == running_.end()) return {};
  auto piece = read_piece(running->first, running->second);
  if (!piece) return piece.failure();
  turn_ = running->first;
  if (piece->events.empty()) {
    move_on(*piece);
    return {};
  }
  asked_ = Asked{.piece = std::move(*piece),
                 .ticket = ++ticket_,
                 .again = {},
                 .matched = std::nullopt,
                 .placed = 0};
  ask(now, ask_body);
  return {};
}

/// They take turns.
CatchUps::RunningByTarget::iterator CatchUps::next_running() {
  const auto first = running_.upper_bound(turn_);
  const auto ready = [](const auto& running) {
    return running.second.position && !running.second.done;
  };
  const auto found = std::find_if(first, running_.end(), ready);
  if (found != running_.end()) return found;
  const auto again = std::find_if(running_.begin(), first, ready);
  return again == first ? running_.end() : again;
}

/// Only first appearances count: redrives and other catch-ups put the same events into the journal
/// again. What the target was owed from the beginning needs no catching up.
Result<CatchUps::Piece> CatchUps::read_piece(const TargetName& name, const Running& running) {
  Piece piece{.target = name,
              .events = {},
              .next = running.start.cursor,
              .looked = running.looked,
              .last = false};
  std::size_t bytes = 0;
  for (int reads = 0; reads < kMostReads && !piece.last; ++reads) {
    if (bytes >= piece_size_) break;
    auto entries = store_->follow(piece.next, kRecords);
    if (!entries) return entries.failure();
    piece.last = entries->empty();
    for (JournalEntry& entry : *entries) {
      if (entry.kind != JournalEntry::Kind::Event) continue;
      StoredEvent& event = entry.event;
      piece.last = piece.last || event.sequence >= running.start.until;
      if (event.sequence < running.start.until) piece.looked = event.sequence;
      const bool wanted = event.sequence < running.start.until && !event.again
                          && event.ingested >= running.start.since
                          && std::ranges::find(event.targets, name) == event.targets.end();
      if (!wanted) continue;
      bytes += event.bytes.size();
      piece.events.push_back(std::move(event.bytes));
    }
  }
  return piece;
}

void CatchUps::ask(const Time& now, std::string& body) {
  asked_->again = now.steady + kAskAgain;
  LinkMatch match{.boot = boot_,
                  .generation = generation_,
                  .ticket = asked_->ticket,
                  .target = *running_.at(asked_->piece.target).position,
                  .events = {asked_->piece.events.begin(), asked_->piece.events.end()}};
  body += encode(match);
}

/// What was routed to the target meanwhile follows.
void CatchUps::finish(const Time& now, RunningByTarget::iterator running) {
  const TargetName& name = running->first;
  Start& start = starts_[name];
  start.caught_up = store_->stats().next_sequence;
  unsaved_ = true;
  // Before it is saved a restart would begin again behind the last cursor, and so must the order.
  if (!save(now)) return;
  log_.info("a target has caught up",
            {{"rule", name.rule},
             {"target", name.target},
             {"owed", running->second.owed},
             {"waited", running->second.waiting.size()}});
  release(now, name, running->second.waiting);
  running_.erase(running);
  keep_journal();
}

void CatchUps::release(const Time& now,
                       const TargetName& name,
                       const std::deque<Waiting>& waiting) {
  const auto target = engine_.find(name);
  for (const Waiting& each : waiting) {
    if (target) {
      engine_.accept(now, *target, each.event);
      continue;
    }
    engine_.recover(now,
                    {.event = each.event,
                     .target = name,
                     .ingested = each.ingested,
                     .attempts = 0,
                     .due = each.ingested,
                     .first_attempt = {},
                     .last_attempt = {},
                     .last_code = {},
                     .last_message = {}});
  }
}

/// False: there is no room now. What a crash meanwhile forgets is done again.
bool CatchUps::save(const Time& now) {
  if (!book_) unsaved_ = false;
  if (!unsaved_) return true;
  const auto saved = book_->save(starts_);
  save_at_ = now.steady + (saved ? kSavePause : kTryAgain);
  if (!saved) log_.complain(now, "catch-up", saved.error().what);
  unsaved_ = !saved;
  if (saved) unrecorded_.clear();
  if (saved) keep_journal();
  return saved.has_value();
}

/// Retention must not take what is still to be read, nor what a restart would read again.
void CatchUps::keep_journal() {
  std::vector<std::string> cursors;
  if (book_) {
    for (const auto& [name, start] : book_->targets()) {
      if (start.catches_up()) cursors.push_back(start.cursor);
    }
  }
  store_->keep_from(cursors);
}

std::optional<SteadyTime> CatchUps::wake_at() const {
  if (asked_) return asked_->again;
  std::optional<SteadyTime> wake;
  if (unsaved_) wake = save_at_;
  const bool ready = std::ranges::any_of(
      running_, [](const auto& running) { return running.second.position.has_value(); });
  return ready ? SteadyTime() : wake;
}

std::vector<CatchUpState> CatchUps::states() const {
  std::vector<CatchUpState> states;
  for (const auto& [name, running] : running_) {
    const Sequence behind = running.start.until > running.looked ? running.start.until - 1 : 0;
    states.push_back({.target = name,
                      .left = behind > running.looked ? behind - running.looked : 0,
                      .owed = running.owed,
                      .waiting = running.waiting.size()});
  }
  return states;
}

}  // namespace conga::bus
