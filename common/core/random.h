// SPDX-License-Identifier: Apache-2.0
//
// Random: the one source of chance. main() seeds it from the system, a test from its seed, and it
// is passed to whoever needs it, so that a failing seed replays exactly.

#pragma once

#include <cstdint>
#include <random>

namespace conga {

class Random {
public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// Seeded from the operating system; for main() only.
  static Random from_system();

  std::uint64_t bits() { return engine_(); }

  /// Uniform in [0, bound). `bound` must not be 0.
  std::uint64_t below(std::uint64_t bound);

  /// Uniform in [0, 1).
  double unit();

  /// True with the given probability, 0 to 1.
  bool chance(double probability) { return unit() < probability; }

private:
  std::mt19937_64 engine_;
};

}  // namespace conga
