// SPDX-License-Identifier: Apache-2.0
//
// Forwarder::measure(): what conga-bus counts, as metrics. docs/metrics.md says what each one
// means.

#include "bus/forwarder.h"

namespace conga::bus {
namespace {

MetricLabels with(MetricLabels labels, std::string name, std::string value) {
  labels.emplace_back(std::move(name), std::move(value));
  return labels;
}

void measure_puts(const MetricLabels& bus, const ForwarderCounters& counted, MetricsPage& page) {
  page.counter(
      "conga_put_events_requests_total", "Messages of events received.", bus, counted.puts);
  page.histogram("conga_put_events_size_bytes",
                 "Sizes of the well-formed events put, each time they were put.",
                 bus,
                 counted.put_sizes,
                 1);
  constexpr std::string_view kName = "conga_put_events_total";
  constexpr std::string_view kHelp = "Events put, by what became of them at the bus.";
  page.counter(kName, kHelp, with(bus, "result", "accepted"), counted.accepted);
  page.counter(kName, kHelp, with(bus, "result", "refused"), counted.refused);
  page.counter(kName, kHelp, with(bus, "result", "unavailable"), counted.unavailable);
}

}  // namespace

void Forwarder::measure(const Time& /*now*/, MetricsPage& page) const {
  const MetricLabels bus{{"bus", options_.name}};
  measure_puts(bus, counters_, page);
  page.counter("conga_matched_events_total",
               "Events that matched at least one rule.",
               bus,
               counters_.matched);
  page.counter("conga_unmatched_events_total",
               "Events that matched no rule: archived only.",
               bus,
               counters_.unmatched_events);
  for (std::size_t at = 0; at < matches_.size(); ++at) {
    page.counter("conga_triggered_rules_total",
                 "Events that the rule matched since it was loaded.",
                 with(bus, "rule", rules_.rules()[at].name),
                 matches_[at]);
  }
  page.counter("conga_loops_total", "Events over the hop limit.", bus, counters_.loops);
  page.gauge(
      "conga_link_up",
      "1 while the sidecar answers and keeps up, else 0.",
      bus,
      link_.state() == LinkGate::State::Open || link_.state() == LinkGate::State::Full ? 1 : 0);
  page.gauge("conga_link_window_bytes",
             "Bytes of events on their way to the sidecar.",
             bus,
             static_cast<double>(link_.in_window()));
  page.gauge(
      "conga_clients", "Clients that said hello.", bus, static_cast<double>(clients_.size()));
  const TransportStats transport = options_.transport ? options_.transport() : TransportStats{};
  page.counter("conga_transport_dropped_total",
               "Messages not sent: no peer, or its queue was full.",
               bus,
               transport.dropped);
}

}  // namespace conga::bus
