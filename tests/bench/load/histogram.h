// SPDX-License-Identifier: Apache-2.0
//
// Histogram: latencies in buckets that are 1/32 of their value wide, from 1 ns to centuries. A
// plain array without pointers, so that it can lie in memory that processes share.

#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace conga::bench {

class Histogram {
public:
  void record(std::uint64_t value) {
    ++counts_[bucket_of(value)];
    ++total_;
  }

  void add(const Histogram& other) {
    for (std::size_t at = 0; at < counts_.size(); ++at) counts_[at] += other.counts_[at];
    total_ += other.total_;
  }

  std::uint64_t total() const { return total_; }

  /// The upper end of the bucket in which the given share (0 to 1) of all values is reached.
  std::uint64_t quantile(double share) const {
    const double wanted = share * static_cast<double>(total_);
    std::uint64_t seen = 0;
    for (std::size_t at = 0; at < counts_.size(); ++at) {
      seen += counts_[at];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return highest_in(at);
    }
    return 0;
  }

private:
  static constexpr unsigned kBits = 5;
  static constexpr std::uint64_t kLinear = std::uint64_t{1} << kBits;

  /// Below 32 each value has its own; above, each power of two has 32.
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < kLinear) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
    return (std::uint64_t{shift} + 1) * kLinear + ((value >> shift) - kLinear);
  }

  static std::uint64_t highest_in(std::size_t bucket) {
    if (bucket < kLinear) return bucket;
    const std::uint64_t shift = bucket / kLinear - 1;
    return ((bucket % kLinear + kLinear + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - kBits + 1) * kLinear> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace conga::bench
