// SPDX-License-Identifier: Apache-2.0

#include "tests/bench/load/histogram.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <memory>

using conga::bench::Histogram;

TEST_CASE("a quantile is at most a bucket above the value") {
  const auto histogram = std::make_unique<Histogram>();
  CHECK(histogram->quantile(0.5) == 0);
  for (std::uint64_t value = 1; value <= 100'000; ++value) histogram->record(value);
  CHECK(histogram->total() == 100'000);
  for (const double share : {0.001, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double exact = share * 100'000;
    const auto found = static_cast<double>(histogram->quantile(share));
    CHECK(found >= exact);
    CHECK(found <= exact * (1 + 1.0 / 32) + 1);
  }
}

TEST_CASE("the least and the largest value have their place, and histograms add up") {
  const auto one = std::make_unique<Histogram>();
  const auto other = std::make_unique<Histogram>();
  one->record(0);
  other->record(std::numeric_limits<std::uint64_t>::max());
  one->add(*other);
  CHECK(one->total() == 2);
  CHECK(one->quantile(0.5) == 0);
  CHECK(one->quantile(1) == std::numeric_limits<std::uint64_t>::max());
}
