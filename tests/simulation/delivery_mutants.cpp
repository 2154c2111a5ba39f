// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/delivery_mutants.h"

#include "bus/sidecar/link.h"
#include "common/wire/messages.h"
#include "tests/simulation/mutants.h"
#include "tests/simulation/store_wrapper.h"

#include <algorithm>
#include <utility>

namespace conga::simulation {
namespace {

using namespace std::chrono_literals;

// --- Around a Node ---

/// Changes frames on their way in or out; false: the frame is lost.
struct Frames {
  std::function<bool(Frame&)> in{};
  std::function<bool(Frame&)> out{};
};

class Altered final : public NodeWrapper {
public:
  Altered(std::unique_ptr<Node> inner, Frames frames)
      : NodeWrapper(std::move(inner)), frames_(std::move(frames)) {}

  void on_frame(const Time& now, Frame& frame) override {
    if (!frames_.in || frames_.in(frame)) NodeWrapper::on_frame(now, frame);
  }

  Result<> commit(const Time& now, std::vector<Frame>& out) override {
    const std::size_t before = out.size();
    auto committed = NodeWrapper::commit(now, out);
    if (!frames_.out) return committed;
    const auto first = out.begin() + static_cast<std::ptrdiff_t>(before);
    out.erase(
        std::remove_if(first, out.end(), [this](Frame& frame) { return !frames_.out(frame); }),
        out.end());
    return committed;
  }

private:
  Frames frames_;
};

Mutation::Around<Node> altering(Frames frames) {
  return [frames = std::move(frames)](std::unique_ptr<Node> inner) -> std::unique_ptr<Node> {
    return std::make_unique<Altered>(std::move(inner), frames);
  };
}

/// The sidecar sees another table than the rules make.
Mutation::Around<Node> with_targets(const std::function<void(bus::LinkTarget&)>& change) {
  return altering({.in = [change](Frame& frame) {
    if (frame.topic != bus::kTableTopic) return true;
    auto table = bus::read_table(frame.body);
    if (!table) return true;
    for (bus::LinkTarget& target : table->targets) change(target);
    frame.body = encode(*table);
    return true;
  }});
}

bool answer_all_ok(Frame& frame) {
  if (!frame.topic.starts_with("put-result/")) return true;
  std::string answers;
  std::string_view body = frame.body;
  while (!body.empty()) {
    const auto result = take_put_result(body);
    if (!result) return true;
    append(answers, PutResult{.event_id = result->event_id, .code = {}, .message = {}});
  }
  frame.body = std::move(answers);
  return true;
}

bool send_twice(Frame& frame) {
  if (frame.topic.starts_with("deliver/")) frame.body.append(frame.body);
  return true;
}

bool take_failures_for_success(Frame& frame) {
  if (!frame.topic.starts_with("settle/")) return true;
  std::string settlements;
  std::string_view body = frame.body;
  while (!body.empty()) {
    auto settlement = take_settlement(body);
    if (!settlement) return true;
    settlement->outcome = Settlement::Outcome::Ok;
    append(settlements, *settlement);
  }
  frame.body = std::move(settlements);
  return true;
}

bool route_to_one_less(Frame& frame) {
  if (frame.topic != bus::kRoutedTopic) return true;
  auto routed = bus::read_routed(frame.body);
  if (!routed) return true;
  for (bus::RoutedEvent& event : routed->events) {
    if (event.target_count > 0) --event.target_count;
  }
  frame.body = encode(*routed);
  return true;
}

bool match_nothing(Frame& frame) {
  auto matched = bus::read_matched(frame.body);
  if (frame.topic != bus::kMatchedTopic || !matched) return true;
  matched->indexes.clear();
  frame.body = bus::encode(*matched);
  return true;
}

bool tell_first_table_only(Frame& frame) {
  if (frame.topic != bus::kTableTopic) return true;
  const auto table = bus::read_table(frame.body);
  return !table || table->generation == 1;
}

// --- Around a store ---

class LyingStore final : public StoreWrapper {
public:
  using StoreWrapper::StoreWrapper;

  Result<> sync() override { return (late_ = !late_) ? Result<>() : inner_->sync(); }

  Result<bool> begin_sync() override {
    return (late_ = !late_) ? Result<bool>(true) : inner_->begin_sync();
  }

private:
  bool late_ = false;
};

class EndlessStore final : public StoreWrapper {
public:
  using StoreWrapper::append;
  using StoreWrapper::StoreWrapper;

  Result<> append(const bus::SettledRecord& /*record*/) override { return {}; }
};

class ForgetfulStore final : public StoreWrapper {
public:
  using StoreWrapper::append;
  using StoreWrapper::StoreWrapper;

  Result<bus::EventRef> append(WallTime ingested,
                               std::span<const bus::TargetName> targets,
                               std::string_view event) override {
    return inner_->append(ingested, targets.first(std::min<std::size_t>(targets.size(), 1)), event);
  }
};

template <class Wrapper>
Mutation::Around<bus::EventStore> storing_with() {
  return [](std::unique_ptr<bus::EventStore> inner) -> std::unique_ptr<bus::EventStore> {
    return std::make_unique<Wrapper>(std::move(inner));
  };
}

// --- Around the dead letters ---

class LettersWrapper : public bus::DeadLetters {
public:
  explicit LettersWrapper(std::unique_ptr<bus::DeadLetters> inner) : inner_(std::move(inner)) {}

  Result<> add(const bus::DeadLetter& letter) override { return inner_->add(letter); }

  Result<> remove(std::uint64_t number) override { return inner_->remove(number); }

  Result<> mark_announced(std::uint64_t number) override { return inner_->mark_announced(number); }

  Result<> sync() override { return inner_->sync(); }

  Result<std::vector<bus::DeadLetter>> list(const bus::DeadLetterFilter& filter) override {
    return inner_->list(filter);
  }

  Result<std::uint64_t> count(const bus::DeadLetterFilter& filter) override {
    return inner_->count(filter);
  }

  Result<std::uint64_t> count() override { return inner_->count(); }

protected:
  std::unique_ptr<bus::DeadLetters> inner_;
};

class LosingLetters final : public LettersWrapper {
public:
  using LettersWrapper::LettersWrapper;

  Result<> add(const bus::DeadLetter& /*letter*/) override { return {}; }
};

class UnreasonedLetters final : public LettersWrapper {
public:
  using LettersWrapper::LettersWrapper;

  Result<> add(const bus::DeadLetter& letter) override {
    bus::DeadLetter other = letter;
    other.error_code = "Unknown";
    return inner_->add(other);
  }
};

/// A redriven letter stays, and is announced as if it were new.
class StickyLetters final : public LettersWrapper {
public:
  using LettersWrapper::LettersWrapper;

  Result<> remove(std::uint64_t /*number*/) override { return {}; }
};

template <class Wrapper>
Mutation::Around<bus::DeadLetters> lettering_with() {
  return [](std::unique_ptr<bus::DeadLetters> inner) -> std::unique_ptr<bus::DeadLetters> {
    return std::make_unique<Wrapper>(std::move(inner));
  };
}

// --- Around an archive ---

class ArchiveWrapper : public bus::ArchiveLog {
public:
  explicit ArchiveWrapper(std::unique_ptr<bus::ArchiveLog> inner) : inner_(std::move(inner)) {}

  bool has(bus::Sequence sequence) const override { return inner_->has(sequence); }

  Result<> append(bus::Sequence sequence, WallTime ingested, std::string_view event) override {
    return inner_->append(sequence, ingested, event);
  }

  Result<> sync() override { return inner_->sync(); }

  Result<> maintain(WallTime now, const bus::ArchiveRetention& retention) override {
    return inner_->maintain(now, retention);
  }

  std::uint64_t bytes() const override { return inner_->bytes(); }

protected:
  std::unique_ptr<bus::ArchiveLog> inner_;
};

class RepeatingArchive final : public ArchiveWrapper {
public:
  using ArchiveWrapper::ArchiveWrapper;

  bool has(bus::Sequence /*sequence*/) const override { return false; }
};

class LosingArchive final : public ArchiveWrapper {
public:
  using ArchiveWrapper::ArchiveWrapper;

  Result<> append(bus::Sequence sequence, WallTime ingested, std::string_view event) override {
    return sequence % 3 == 0 ? Result<>() : inner_->append(sequence, ingested, event);
  }
};

class UnsyncedArchive final : public ArchiveWrapper {
public:
  using ArchiveWrapper::ArchiveWrapper;

  Result<> sync() override { return {}; }
};

template <class Wrapper>
Mutation::Around<bus::ArchiveLog> archiving_with() {
  return [](std::unique_ptr<bus::ArchiveLog> inner) -> std::unique_ptr<bus::ArchiveLog> {
    return std::make_unique<Wrapper>(std::move(inner));
  };
}

std::vector<Mutation> all() {
  return {
      {.name = "put-result before the sync", .store = storing_with<LyingStore>()},
      {.name = "refused puts answered ok", .sidecar = altering({.out = answer_all_ok})},
      {.name = "a message of deliveries sent twice", .sidecar = altering({.out = send_twice})},
      {.name = "failures taken for success",
       .sidecar = altering({.in = take_failures_for_success})},
      {.name = "own events not put",
       .sidecar =
           altering({.out = [](Frame& frame) { return frame.topic != bus::kSidecarPutTopic; }})},
      {.name = "ordering ignored",
       .sidecar = with_targets([](bus::LinkTarget& target) { target.ordering.clear(); })},
      {.name = "ack-timeout too short",
       .sidecar = with_targets([](bus::LinkTarget& target) { target.retry.ack_timeout = 100ms; })},
      {.name = "more retries than the policy",
       .sidecar = with_targets([](bus::LinkTarget& target) { target.retry.max_attempts += 1; })},
      {.name = "endings not journalled", .store = storing_with<EndlessStore>()},
      {.name = "a new target not given the past", .forwarder = altering({.out = match_nothing})},
      {.name = "only the first target journalled", .store = storing_with<ForgetfulStore>()},
      {.name = "pending deliveries forgotten at recovery",
       .recovers =
           [](const bus::PendingDelivery& delivery) { return delivery.event.sequence % 3 != 0; }},
      {.name = "known ids forgotten at recovery", .forgets_ids = true},
      {.name = "the last target not routed", .forwarder = altering({.out = route_to_one_less})},
      {.name = "a reload not told to the sidecar",
       .forwarder = altering({.out = tell_first_table_only})},
      {.name = "dead letters lost", .letters = lettering_with<LosingLetters>()},
      {.name = "dead letters without their reason", .letters = lettering_with<UnreasonedLetters>()},
      {.name = "redriven dead letters kept", .letters = lettering_with<StickyLetters>()},
      {.name = "events archived again after a crash",
       .archive = archiving_with<RepeatingArchive>()},
      {.name = "events left out of an archive", .archive = archiving_with<LosingArchive>()},
      {.name = "an archive not synced", .archive = archiving_with<UnsyncedArchive>()},
  };
}

}  // namespace

const std::vector<Mutation>& delivery_mutants() {
  static const std::vector<Mutation> kAll = all();
  return kAll;
}

}  // namespace conga::simulation
