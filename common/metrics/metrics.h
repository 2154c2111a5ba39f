// SPDX-License-Identifier: Apache-2.0
//
// Metrics: what a daemon counts, as plain data. The core counts in plain numbers and in
// BucketCounts; when somebody asks, it writes them onto a MetricsPage, and only MetricsServer knows
// how Prometheus wants to see them.

#pragma once

#include "common/core/clock.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga {

/// How many values fell below each of `kBounds`, which ascend. Counting costs a short search.
template <const auto& kBounds>
class BucketCounts {
public:
  void observe(std::int64_t value) {
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), value);
    ++counts_[static_cast<std::size_t>(bound - kBounds.begin())];
    sum_ += static_cast<double>(value);
  }

  void observe(Duration taken) { observe(std::max<std::int64_t>(taken.count(), 0)); }

  /// By bound; the last is of all that is above every bound.
  const std::array<std::uint64_t, kBounds.size() + 1>& counts() const { return counts_; }

  double sum() const { return sum_; }

private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};
  double sum_ = 0;
};

/// Microseconds, from what a healthy bus takes to a day of retries.
inline constexpr std::array<std::int64_t, 20> kLatencyBounds{
    50,        100,        250,        500,         1'000,         2'500,         5'000,
    10'000,    25'000,     50'000,     100'000,     250'000,       500'000,       1'000'000,
    2'500'000, 10'000'000, 60'000'000, 600'000'000, 3'600'000'000, 86'400'000'000};

/// Bytes.
inline constexpr std::array<std::int64_t, 9> kSizeBounds{
    128, 512, 1024, 4096, 16'384, 65'536, 262'144, 1'048'576, 16'777'216};

using LatencyCounts = BucketCounts<kLatencyBounds>;
using SizeCounts = BucketCounts<kSizeBounds>;

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

struct MetricSample {
  MetricLabels labels;
  double value = 0;                                       ///< Of a histogram: the sum.
  std::vector<std::pair<double, std::uint64_t>> buckets;  ///< Upper bound, cumulative count.
  std::uint64_t count = 0;                                ///< Of a histogram.
};

struct MetricFamily {
  enum class Kind : std::uint8_t { Counter, Gauge, Histogram };

  std::string name;
  std::string help;
  Kind kind = Kind::Counter;
  std::vector<MetricSample> samples;
};

/// Everything a daemon tells at one moment. A family's help is that of its first sample.
class MetricsPage {
public:
  void counter(std::string_view name,
               std::string_view help,
               MetricLabels labels,
               std::uint64_t value);
  void gauge(std::string_view name, std::string_view help, MetricLabels labels, double value);

  /// `unit` is what one of the counted is in the metric's base unit: 1e-6 for microseconds that
  /// are told as seconds.
  template <const auto& kBounds>
  void histogram(std::string_view name,
                 std::string_view help,
                 MetricLabels labels,
                 const BucketCounts<kBounds>& counts,
                 double unit) {
    MetricSample sample{.labels = std::move(labels), .value = counts.sum() * unit, .buckets = {}};
    for (std::size_t at = 0; at < kBounds.size(); ++at) {
      sample.count += counts.counts()[at];
      sample.buckets.emplace_back(static_cast<double>(kBounds[at]) * unit, sample.count);
    }
    sample.count += counts.counts().back();
    family(name, help, MetricFamily::Kind::Histogram).samples.push_back(std::move(sample));
  }

  const std::vector<MetricFamily>& families() const { return families_; }

private:
  MetricFamily& family(std::string_view name, std::string_view help, MetricFamily::Kind kind);

  std::vector<MetricFamily> families_;
  std::map<std::string, std::size_t, std::less<>> positions_;
};

inline constexpr double kSecondsOfMicros = 1e-6;

}  // namespace conga
