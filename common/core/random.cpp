// SPDX-License-Identifier: Apache-2.0

#include "common/core/random.h"

#include "common/core/check.h"

namespace conga {

Random Random::from_system() {
  std::random_device device;
  const std::uint64_t high = device();
  return Random((high << 32U) | device());
}

std::uint64_t Random::below(std::uint64_t bound) {
  CONGA_CHECK(bound > 0, "Random::below needs a bound above 0");
  // A plain remainder: its bias is below 2^-32 for the bounds used here, and unlike
  // std::uniform_int_distribution it gives the same numbers with every standard library.
  return bits() % bound;
}

double Random::unit() {
  return static_cast<double>(bits() >> 11U) * 0x1.0p-53;
}

}  // namespace conga
