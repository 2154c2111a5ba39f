// SPDX-License-Identifier: Apache-2.0
//
// OwnEvents: what the sidecar itself has to say on the bus, such as that a delivery became a dead
// letter. Its events take the way of everybody's: over the link to the forwarder, through the rules
// and back, so they are routed, journalled and delivered like any other. Each is put again until
// it has been accepted, durably; whoever offers one keeps it until then, for a crash forgets it
// here.

#pragma once

#include "bus/sidecar/outbox.h"
#include "common/client/publisher.h"
#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/log/log.h"
#include "common/wire/event/event.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace conga::bus {

class OwnEvents {
public:
  /// The event needs not be offered again. An error is fatal.
  using Accepted = std::function<Result<>()>;

  /// `log` must outlive it.
  explicit OwnEvents(Log& log);

  bool has_room() const { return publisher_.has_room(); }

  /// Puts the event until it is accepted, or refused for good. `has_room()` must be true. An id
  /// that is on its way already is not put twice.
  void offer(const Event& event, Accepted accepted);

  /// A forwarder is there; nothing is put before.
  void set_online() { publisher_.set_online(true); }

  /// Put-results, to be believed once the journal has synced.
  void on_results(std::string_view body) { results_.append(body); }

  /// Where to append the results of a routed batch of ours.
  std::string& results() { return results_; }

  bool has_results() const { return !results_.empty(); }

  /// To be called when the journal has synced.
  Result<> take_results(const Time& now);

  void collect(const Time& now, std::vector<Frame>& out);

  std::optional<SteadyTime> wake_at() const { return publisher_.wake_at(); }

private:
  Log& log_;
  Publisher publisher_;
  std::unordered_map<std::string, Accepted> offered_;  ///< By event id.
  std::string results_;
};

}  // namespace conga::bus
