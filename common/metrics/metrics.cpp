// SPDX-License-Identifier: Apache-2.0

#include "common/metrics/metrics.h"

namespace conga {

void MetricsPage::counter(std::string_view name,
                          std::string_view help,
                          MetricLabels labels,
                          std::uint64_t value) {
  family(name, help, MetricFamily::Kind::Counter)
      .samples.push_back({.labels = std::move(labels),
                          .value = static_cast<double>(value),
                          .buckets = {},
                          .count = 0});
}

void MetricsPage::gauge(std::string_view name,
                        std::string_view help,
                        MetricLabels labels,
                        double value) {
  family(name, help, MetricFamily::Kind::Gauge)
      .samples.push_back({.labels = std::move(labels), .value = value, .buckets = {}, .count = 0});
}

MetricFamily& MetricsPage::family(std::string_view name,
                                  std::string_view help,
                                  MetricFamily::Kind kind) {
  const auto known = positions_.find(name);
  if (known != positions_.end()) return families_[known->second];
  positions_.emplace(name, families_.size());
  return families_.emplace_back(MetricFamily{
      .name = std::string(name), .help = std::string(help), .kind = kind, .samples = {}});
}

}  // namespace conga
