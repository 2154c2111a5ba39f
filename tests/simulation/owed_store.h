// SPDX-License-Identifier: Apache-2.0
//
// OwedStore: the sidecar's journal, watched. It knows what is owed, lets the sidecar die around a
// sync, and can be made to lie about it.

#pragma once

#include "bus/sidecar/event_store.h"
#include "tests/simulation/store_wrapper.h"
#include "tests/support/world.h"

#include <memory>
#include <set>
#include <utility>

namespace conga::simulation {

/// Outlives the sidecar's deaths.
struct StoreWatch {
  std::set<std::pair<bus::Sequence, bus::TargetName>> owed;
  /// Ended while the disk was full to the last byte held back: no record says so.
  std::set<std::pair<bus::Sequence, bus::TargetName>> unrecorded;
  bool dies_at_sync = false;     ///< The power goes before the next sync, once.
  bool dies_after_sync = false;  ///< The process dies after the next sync, once.
  bool lies = false;             ///< sync() does nothing: for a mutant.
};

/// Tells `watch` what recovery finds, on its way to the sidecar.
class OwedVisitor final : public bus::RecoveryVisitor {
public:
  OwedVisitor(bus::RecoveryVisitor& inner, StoreWatch& watch) : inner_(inner), watch_(watch) {
    watch_.owed.clear();
  }

  void on_recent_event(std::string_view event_bytes, WallTime ingested) override {
    inner_.on_recent_event(event_bytes, ingested);
  }

  void on_pending(const bus::PendingDelivery& delivery) override {
    watch_.owed.emplace(delivery.event.sequence, delivery.target);
    inner_.on_pending(delivery);
  }

private:
  bus::RecoveryVisitor& inner_;
  StoreWatch& watch_;
};

class OwedStore final : public StoreWrapper {
public:
  OwedStore(std::unique_ptr<bus::EventStore> inner, StoreWatch& watch)
      : StoreWrapper(std::move(inner)), watch_(watch) {}

  using StoreWrapper::append;

  Result<bus::EventRef> append(WallTime ingested,
                               std::span<const bus::TargetName> targets,
                               std::string_view event) override {
    return owe(targets, inner_->append(ingested, targets, event));
  }

  Result<bus::EventRef> append_owed(WallTime ingested,
                                    bus::OwedTargets& targets,
                                    std::string_view event) override {
    return owe(targets.names, inner_->append_owed(ingested, targets, event));
  }

  Result<bus::EventRef> append_again(WallTime ingested,
                                     std::span<const bus::TargetName> targets,
                                     std::string_view event) override {
    return owe(targets, inner_->append_again(ingested, targets, event));
  }

  Result<> append(const bus::SettledRecord& record) override {
    watch_.owed.erase({record.sequence, record.target});
    const std::uint64_t before = inner_->stats().unrecorded;
    auto appended = inner_->append(record);
    if (inner_->stats().unrecorded > before) {
      watch_.unrecorded.emplace(record.sequence, record.target);
    }
    return appended;
  }

  Result<> sync() override {
    if (watch_.lies && (late_ = !late_)) return {};
    die_if(watch_.dies_at_sync);
    auto synced = inner_->sync();
    die_if(watch_.dies_after_sync);
    return synced;
  }

  Result<bool> begin_sync() override {
    if (watch_.lies && (late_ = !late_)) return true;
    die_if(watch_.dies_at_sync);
    auto synced = inner_->begin_sync();
    if (synced && *synced) die_if(watch_.dies_after_sync);
    return synced;
  }

  Result<bool> poll_sync() override {
    auto synced = inner_->poll_sync();
    if (synced && *synced) die_if(watch_.dies_after_sync);
    return synced;
  }

private:
  static void die_if(bool& due) {
    if (std::exchange(due, false)) throw testing::CrashNow{.death = testing::Death::PowerLoss};
  }

  Result<bus::EventRef> owe(std::span<const bus::TargetName> targets, Result<bus::EventRef> ref) {
    if (!ref) return ref;
    for (const bus::TargetName& target : targets) watch_.owed.emplace(ref->sequence, target);
    return ref;
  }

  StoreWatch& watch_;
  bool late_ = false;
};

}  // namespace conga::simulation
