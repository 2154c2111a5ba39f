// SPDX-License-Identifier: Apache-2.0
//
// BitFlip: one bit of a journal that lies on a disk, somewhere in a record that recovery reads and
// that was durable, for sure, when a later commit began.

#pragma once

#include "common/core/random.h"
#include "common/io/log_format.h"
#include "tests/support/mem_files.h"

#include <optional>
#include <string>

namespace conga::simulation {

struct BitFlip {
  std::string path;
  std::uint64_t offset = 0;
  unsigned bit = 0;

  /// Twice is as if nothing had happened.
  void apply(testing::MemFiles& disk) const { disk.flip(path, offset, bit); }
};

/// Nothing: the journal in `directory` has no such record yet, or a torn one.
std::optional<BitFlip> choose_flip(testing::MemFiles& disk,
                                   const std::string& directory,
                                   Random& random);

}  // namespace conga::simulation
