// SPDX-License-Identifier: Apache-2.0

#include "common/metrics/metrics_server.h"

#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <limits>
#include <mutex>
#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <string_view>
#include <utility>
#include <vector>

namespace conga {
namespace {

/// Turns come at least once a second; a loop that is stuck must not hold a scrape for ever.
constexpr std::chrono::seconds kPatience{4};

prometheus::MetricType type_of(MetricFamily::Kind kind) {
  switch (kind) {
    case MetricFamily::Kind::Counter:
      return prometheus::MetricType::Counter;
    case MetricFamily::Kind::Gauge:
      return prometheus::MetricType::Gauge;
    case MetricFamily::Kind::Histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram histogram_of(const MetricSample& sample) {
  prometheus::ClientMetric::Histogram histogram;
  histogram.sample_count = sample.count;
  histogram.sample_sum = sample.value;
  for (const auto& [bound, count] : sample.buckets) {
    histogram.bucket.push_back({.cumulative_count = count, .upper_bound = bound});
  }
  histogram.bucket.push_back(
      {.cumulative_count = sample.count, .upper_bound = std::numeric_limits<double>::infinity()});
  return histogram;
}

prometheus::MetricFamily converted(const MetricFamily& family) {
  prometheus::MetricFamily out{family.name, family.help, type_of(family.kind), {}};
  out.metric.reserve(family.samples.size());
  for (const MetricSample& sample : family.samples) {
    prometheus::ClientMetric& metric = out.metric.emplace_back();
    for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
    metric.counter.value = sample.value;
    metric.gauge.value = sample.value;
    if (family.kind == MetricFamily::Kind::Histogram) metric.histogram = histogram_of(sample);
  }
  return out;
}

/// Where the loop's thread and the server's meet: the one mutex of the project.
class Exchange final : public prometheus::Collectable {
public:
  std::vector<prometheus::MetricFamily> Collect() const override {
    std::unique_lock lock(mutex_);
    const std::uint64_t seen = published_;
    wanted_ = true;
    changed_.wait_for(lock, kPatience, [&] { return published_ != seen || closing_; });
    std::vector<prometheus::MetricFamily> families;
    if (published_ == seen) return families;
    for (const MetricFamily& family : page_.families()) families.push_back(converted(family));
    return families;
  }

  bool wanted() const { return wanted_.load(std::memory_order_relaxed); }

  void publish(MetricsPage page) {
    const std::scoped_lock lock(mutex_);
    page_ = std::move(page);
    ++published_;
    wanted_ = false;
    changed_.notify_all();
  }

  void close() {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }

private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable std::atomic<bool> wanted_ = false;
  MetricsPage page_;
  std::uint64_t published_ = 0;
  bool closing_ = false;
};

}  // namespace

struct MetricsServer::State {
  std::shared_ptr<Exchange> exchange = std::make_shared<Exchange>();
  std::unique_ptr<prometheus::Exposer> exposer;
};

bool is_listen_address(std::string_view text) {
  constexpr unsigned kMostPort = 65'535;
  constexpr std::string_view kOfAddresses = "0123456789abcdefABCDEF.:[]";
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port <= kMostPort
         && text.substr(0, colon).find_first_not_of(kOfAddresses) == std::string_view::npos;
}

MetricsServer::MetricsServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

MetricsServer::~MetricsServer() {
  state_->exchange->close();
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::open(const std::string& listen) {
  auto state = std::make_unique<State>();
  try {
    state->exposer = std::make_unique<prometheus::Exposer>(listen, 1);
    state->exposer->RegisterCollectable(state->exchange);
  } catch (const std::exception& error) {
    return fail(Fault::Permanent,
                "metrics.listen: cannot listen at " + listen + " (" + error.what()
                    + "): is another process there? Choose another port, or leave the key out",
                "InvalidConfig");
  }
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(state)));
}

bool MetricsServer::wanted() const {
  return state_->exchange->wanted();
}

void MetricsServer::publish(MetricsPage page) {
  state_->exchange->publish(std::move(page));
}

int MetricsServer::port() const {
  return state_->exposer->GetListeningPorts().front();
}

}  // namespace conga
