// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/own_events.h"

#include "bus/sidecar/link.h"

#include <utility>
#include <vector>

namespace conga::bus {

OwnEvents::OwnEvents(Log& log) : log_(log), publisher_(std::string(kSidecarClient), {}) {}

void OwnEvents::offer(const Event& event, Accepted accepted) {
  offered_.try_emplace(event.id.text(), std::move(accepted));
  publisher_.offer(event.id, encode(event));
}

Result<> OwnEvents::take_results(const Time& now) {
  if (results_.empty()) return {};
  publisher_.on_put_results(now, results_);
  results_.clear();
  for (const PutResult& result : publisher_.take_results()) {
    if (!result.ok()) {
      log_.error("the bus refuses an event of the sidecar",
                 {{"event-id", result.event_id}, {"why", result.code + ": " + result.message}});
    }
    const auto found = offered_.find(result.event_id);
    if (found == offered_.end()) continue;
    const Accepted accepted = std::move(found->second);
    offered_.erase(found);
    if (auto taken = accepted(); !taken) return taken;
  }
  return {};
}

void OwnEvents::collect(const Time& now, std::vector<Frame>& out) {
  const std::size_t before = out.size();
  publisher_.collect(now, out);
  for (std::size_t at = before; at < out.size(); ++at) out[at].channel = Channel::Link;
}

}  // namespace conga::bus
