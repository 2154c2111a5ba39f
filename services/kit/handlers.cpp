// SPDX-License-Identifier: Apache-2.0

#include "services/kit/handlers.h"

namespace conga::kit {

Result<std::string> Handlers::perform(const Effect& effect) {
  return fail(Fault::Permanent, "no effect is known as '" + effect.kind + "'", "UnknownEffect");
}

Result<Facts> Handlers::on_timer(const std::string& name, const Time& /*now*/) {
  return fail(Fault::Permanent, "no timer is known as '" + name + "'", "UnknownTimer");
}

Result<Facts> Handlers::complete(const EventView& /*event*/,
                                 const Effect& /*effect*/,
                                 const Result<std::string>& answer,
                                 const Time& /*now*/) {
  if (!answer) return answer.failure();
  return Facts();
}

std::optional<Error> Handlers::unfinished(const std::string& /*answer*/) const {
  return std::nullopt;
}

tl::unexpected<Error> unexpected_event(const EventView& event) {
  return fail(Fault::Permanent,
              "this service does not handle " + std::string(event.source) + " "
                  + std::string(event.detail_type) + ": mend the rule that sends it here",
              "UnexpectedEvent");
}

}  // namespace conga::kit
