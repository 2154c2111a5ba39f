// SPDX-License-Identifier: Apache-2.0
//
// TalliedHandlers: a service's handlers that count, in the transaction of the work itself, how
// often each event has been dealt with. Once and no more is what "effectively once" means.

#pragma once

#include "services/kit/database.h"
#include "services/kit/handlers.h"
#include "tests/simulation/booking_system.h"

#include <memory>
#include <optional>
#include <string>

namespace conga::simulation {

class TalliedHandlers final : public kit::Handlers {
public:
  /// `database` must outlive the object, and be the one that `inner` works on.
  TalliedHandlers(std::unique_ptr<kit::Handlers> inner, kit::Database& database)
      : inner_(std::move(inner)), database_(database) {}

  const kit::Manifest& manifest() const override { return inner_->manifest(); }

  Result<> migrate() override;
  Result<kit::Decision> handle(const EventView& event, const Time& now) override;

  Result<kit::Facts> on_timer(const std::string& name, const Time& now) override {
    return inner_->on_timer(name, now);
  }

  Result<std::string> perform(const kit::Effect& effect) override {
    return inner_->perform(effect);
  }

  Result<kit::Facts> complete(const EventView& event,
                              const kit::Effect& effect,
                              const Result<std::string>& answer,
                              const Time& now) override;

  std::optional<Error> unfinished(const std::string& answer) const override {
    return inner_->unfinished(answer);
  }

private:
  Result<> count(const EventView& event);

  std::unique_ptr<kit::Handlers> inner_;
  kit::Database& database_;
};

/// No event was dealt with twice by the service `name` that works on `database`.
void check_tally(kit::Database& database, const std::string& name, Report& report);

}  // namespace conga::simulation
