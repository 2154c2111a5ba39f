// SPDX-License-Identifier: Apache-2.0
//
// StoreWrapper: an EventStore that does what the one inside it does, for those that do a few things
// otherwise.

#pragma once

#include "bus/sidecar/event_store.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::simulation {

class StoreWrapper : public bus::EventStore {
public:
  explicit StoreWrapper(std::unique_ptr<bus::EventStore> inner) : inner_(std::move(inner)) {}

  Result<bus::EventRef> append(WallTime ingested,
                               std::span<const bus::TargetName> targets,
                               std::string_view event) override {
    return inner_->append(ingested, targets, event);
  }

  Result<bus::EventRef> append_again(WallTime ingested,
                                     std::span<const bus::TargetName> targets,
                                     std::string_view event) override {
    return inner_->append_again(ingested, targets, event);
  }

  Result<> append(const bus::SettledRecord& record) override { return inner_->append(record); }

  Result<> append(const bus::RetryRecord& record) override { return inner_->append(record); }

  Result<> sync() override { return inner_->sync(); }

  Result<bool> begin_sync() override { return inner_->begin_sync(); }

  Result<bool> poll_sync() override { return inner_->poll_sync(); }

  Result<bus::StoredEvent> read(const bus::EventRef& ref) override { return inner_->read(ref); }

  Result<std::vector<bus::JournalEntry>> follow(std::string& cursor, std::size_t limit) override {
    return inner_->follow(cursor, limit);
  }

  std::string cursor_at(WallTime since) const override { return inner_->cursor_at(since); }

  void keep_from(std::span<const std::string> cursors) override { inner_->keep_from(cursors); }

  Result<> maintain(WallTime now) override { return inner_->maintain(now); }

  bus::StoreStats stats() const override { return inner_->stats(); }

protected:
  std::unique_ptr<bus::EventStore> inner_;
};

}  // namespace conga::simulation
