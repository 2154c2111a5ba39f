// SPDX-License-Identifier: Apache-2.0
//
// Handlers: what a service is, apart from what all services share. A handler is a function of the
// event and the service's store; it never talks to the network.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"
#include "common/wire/event/event.h"
#include "services/kit/fact.h"
#include "services/kit/manifest.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace conga::kit {

/// Something to do in the outside world: charge a card, send a mail. It is done after the
/// handler's changes are durable, and done again, with the same key, if a crash leaves in doubt
/// whether it was: the port behind it must answer a repeated key as it did the first time.
struct Effect {
  std::string kind;     ///< For the service's perform().
  std::string key;      ///< The idempotency key.
  std::string payload;  ///< For the service's perform(); any bytes.
};

/// Asks for on_timer() at `due`, by the wall clock; without `due`, for no more of it.
struct TimerChange {
  std::string name;  ///< Set again, it replaces the one that is set.
  std::optional<WallTime> due;
};

/// What follows from an event: facts, or an effect whose outcome decides; and timers.
struct Decision {
  Facts facts;
  std::optional<Effect> effect;
  std::vector<TimerChange> timers = {};
};

/// One object per service; called by its Node's thread only. An Error means that the event could
/// not be judged: Transient is tried again as the rule's retry policy says, anything else becomes a
/// dead letter. "Sold out" and "declined" are facts, not errors.
class Handlers {
public:
  Handlers() = default;
  Handlers(const Handlers&) = delete;
  Handlers& operator=(const Handlers&) = delete;
  virtual ~Handlers() = default;

  /// What the service consumes and emits.
  virtual const Manifest& manifest() const = 0;

  /// Brings the service's own tables up to date.
  virtual Result<> migrate() = 0;

  /// Called inside the turn's transaction; what it changed is undone if it returns an Error.
  virtual Result<Decision> handle(const EventView& event, const Time& now) = 0;

  /// What follows from a timer that handle() has set, inside the turn's transaction. The facts are
  /// caused by the event that set it. An Error is logged, and the timer comes again ten seconds
  /// later.
  virtual Result<Facts> on_timer(const std::string& name, const Time& now);

  /// Carries out an effect, outside any transaction. Of a service with effect workers it is called
  /// by their threads, several at once: it touches nothing but its port.
  virtual Result<std::string> perform(const Effect& effect);

  /// What follows from the effect's answer, inside a second transaction. Not called for a
  /// Transient error: the delivery is then retried.
  virtual Result<Facts> complete(const EventView& event,
                                 const Effect& effect,
                                 const Result<std::string>& answer,
                                 const Time& now);

  /// Of an effect that stands for several things: why it is to be tried again, if `answer` says
  /// that some of them are still to be done. complete() is then called all the same and what it
  /// stores is kept, but not its facts, and the delivery is retried.
  virtual std::optional<Error> unfinished(const std::string& answer) const;
};

/// For events that a service is sent by a rule but does not know.
tl::unexpected<Error> unexpected_event(const EventView& event);

}  // namespace conga::kit
