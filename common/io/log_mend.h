// SPDX-License-Identifier: Apache-2.0
//
// Mending: makes a log with gaps one without, so that each gap is judged once.

#pragma once

#include "common/io/log_scan.h"

#include <cstdint>
#include <string>

namespace conga {

/// Turns every gap that `scan` found into a void record (only its first 16 bytes are overwritten),
/// seals what a crash left unsealed, writes damaged headers anew, and syncs every segment that may
/// hold records which only the page cache has. `segment_size` is for headers that were lost.
Result<> mend_log(Files& files,
                  const std::string& directory,
                  const LogScan& scan,
                  std::uint32_t segment_size);

}  // namespace conga
