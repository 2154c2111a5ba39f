// SPDX-License-Identifier: Apache-2.0
//
// ArchiveLines: the chosen events of an archive as lines, read by a thread of its own, so that
// whoever takes them is never held up, and the thread no further ahead than a pipe holds.

#pragma once

#include "cli/archive.h"
#include "cli/line_source.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <functional>
#include <memory>
#include <string>

namespace conga::cli {

/// What becomes of an event: one line, without its end; empty: it is left out. Called by the
/// thread.
using ArchiveLine = std::function<std::string(const Archived& archived)>;

/// Reads from the first call of next() on. Ends Broken if something of the archive cannot be read,
/// after all that can. `clock` must outlive it.
Result<std::unique_ptr<LineSource>> open_archive_lines(const ArchiveChoice& choice,
                                                       const Clock& clock,
                                                       ArchiveLine line_of);

}  // namespace conga::cli
