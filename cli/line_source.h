// SPDX-License-Identifier: Apache-2.0
//
// LineSource: events to put, one JSON text a line, from a file, a pipe or memory. It never blocks:
// a pipe whose writer is slow says Later, so that the Node behind it goes on.

#pragma once

#include "common/core/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace conga::cli {

class LineSource {
public:
  enum class Next : std::uint8_t { Line, Later, End, Broken };

  LineSource() = default;
  LineSource(const LineSource&) = delete;
  LineSource& operator=(const LineSource&) = delete;
  virtual ~LineSource() = default;

  /// Line: `line` holds the next line, without its end. Broken: `line` holds what went wrong, and
  /// nothing more will come.
  virtual Next next(std::string& line) = 0;

  /// Blocks until next() may have more to say than Later: for commands with nothing else to do.
  virtual void wait() {}

  /// The first `lines` lines that were given out are done with: whoever takes them need not see
  /// them again, should it be interrupted.
  virtual void done(std::uint64_t lines) { static_cast<void>(lines); }

  /// How much of it has been given out, 0 to 1; nothing if that cannot be known.
  virtual std::optional<double> fraction() const = 0;
};

/// One text, `count` times.
std::unique_ptr<LineSource> repeat_line(std::string line, std::uint64_t count);

/// The file at `path`, or standard input for `-`. Lines over 16 MiB break it.
Result<std::unique_ptr<LineSource>> open_lines(const std::string& path);

/// The lines of an open descriptor, which it closes. `name`: what faults call it.
std::unique_ptr<LineSource> lines_of(int descriptor, const std::string& name);

/// The whole text of a small file, or standard input for `-`: an `@file` argument.
Result<std::string> read_text(const std::string& path);

}  // namespace conga::cli
