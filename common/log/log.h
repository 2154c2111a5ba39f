// SPDX-License-Identifier: Apache-2.0
//
// Log: what a daemon tells its operator, one line an occurrence, on standard error. Passed to whom
// needs it; there is no global logger. A complaint that repeats is written once a second at most,
// with the number of those left out, so that bad input cannot fill a disk.

#pragma once

#include "common/core/clock.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace conga {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };

struct LogOptions {
  enum class Format : std::uint8_t { Text, Json };

  LogLevel level = LogLevel::Info;
  Format format = Format::Text;
};

/// Where finished lines go. The sink of the tests keeps them.
class LogSink {
public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view channel, std::string_view message) = 0;
};

/// Writes to standard error with time, level and channel; in colour on a terminal.
std::unique_ptr<LogSink> make_stderr_sink(const LogOptions& options);

/// One thread, as its daemon.
class Log {
public:
  /// `channel` is the daemon's name. Lines below `level` are dropped.
  Log(std::string channel, LogLevel level, std::unique_ptr<LogSink> sink);

  void debug(std::string_view message) { write(LogLevel::Debug, message); }

  void info(std::string_view message) { write(LogLevel::Info, message); }

  void warning(std::string_view message) { write(LogLevel::Warning, message); }

  void error(std::string_view message) { write(LogLevel::Error, message); }

  /// A warning of which there may be many: written if the last one of the same `kind` is a second
  /// old, else counted. `kind` is one of a handful of constants, not text from outside.
  void complain(const Time& now, std::string_view kind, std::string_view message);

private:
  struct Complaint {
    std::string kind;
    SteadyTime written;
    std::uint64_t left_out = 0;
  };

  void write(LogLevel level, std::string_view message);

  std::string channel_;
  LogLevel level_;
  std::unique_ptr<LogSink> sink_;
  std::vector<Complaint> complaints_;
};

}  // namespace conga
