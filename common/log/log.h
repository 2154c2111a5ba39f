// SPDX-License-Identifier: Apache-2.0
//
// Log: what a daemon tells its operator, one line an occurrence, on standard error. Passed to whom
// needs it; there is no global logger. A complaint that repeats is written once a second at most,
// with the number of those left out, so that bad input cannot fill a disk.

#pragma once

#include "common/core/clock.h"

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
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

/// One `key=value` of a line; numbers and booleans stay bare in JSON.
class LogField {
public:
  LogField(std::string_view name, std::string_view text) : key(name), value(text), is_text(true) {}

  LogField(std::string_view name, const char* text) : LogField(name, std::string_view(text)) {}

  LogField(std::string_view name, const std::string& text)
      : LogField(name, std::string_view(text)) {}

  LogField(std::string_view name, bool truth) : key(name), value(truth ? "true" : "false") {}

  LogField(std::string_view name, std::integral auto number)
      : key(name), value(std::to_string(number)) {}

  LogField(std::string_view name, Duration duration)
      : key(name), value(format_duration(duration)), is_text(true) {}

  std::string_view key;
  std::string value;
  bool is_text = false;
};

using LogFields = std::span<const LogField>;

struct LogLine {
  LogLevel level = LogLevel::Info;
  std::string_view channel;
  std::string_view message;
  LogFields fields;
};

/// Where finished lines go.
class LogSink {
public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  virtual void write(const LogLine& line) = 0;
};

/// Writes to standard error with time, level and channel; text in colour if that is a terminal.
/// Logs of several threads may write to it.
std::shared_ptr<LogSink> make_stderr_sink(LogOptions::Format format);

/// Keeps its lines as text (`warning rules: message key=value`), for tests.
class CapturingSink final : public LogSink {
public:
  void write(const LogLine& line) override;

  const std::vector<std::string>& lines() const { return lines_; }

private:
  std::vector<std::string> lines_;
};

/// `message key=value other="two words"`.
std::string format_text(std::string_view message, LogFields fields);

/// `"channel":"bus","message":"…","key":1`: the members of a JSON object.
std::string format_json_members(const LogLine& line);

/// Owned by one thread and touched by no other; another thread gets one by channel().
class Log {
public:
  /// To standard error.
  Log(std::string channel, const LogOptions& options);

  /// `channel` names the daemon or the part of it that speaks. Lines below `level` are dropped.
  Log(std::string channel, LogLevel level, std::shared_ptr<LogSink> sink);

  /// A log that says nothing.
  static Log null();

  /// The same sink and level under the name `CHANNEL.name`.
  Log channel(std::string_view name) const;

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::Debug, message, fields);
  }

  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::Info, message, fields);
  }

  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::Warning, message, fields);
  }

  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::Error, message, fields);
  }

  /// A warning of which there may be many: written if the last one of the same `kind` is a second
  /// old, else counted. `kind` is best one of a handful of constants; of more than 64 kinds at a
  /// time the rest share one limit, so even text from outside cannot make the table grow.
  void complain(const Time& now,
                std::string_view kind,
                std::string_view message,
                std::initializer_list<LogField> fields = {});

  /// Once a turn: tells how many complaints were left out, when no later one of the kind came.
  void on_time(const Time& now);

private:
  struct Complaint {
    std::string kind;
    SteadyTime written;
    std::uint64_t left_out = 0;
  };

  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    if (level >= level_) emit(level, message, LogFields(fields.begin(), fields.size()));
  }

  void emit(LogLevel level, std::string_view message, LogFields fields);
  Complaint& complaint(const Time& now, std::string_view kind);

  std::string channel_;
  LogLevel level_;
  std::shared_ptr<LogSink> sink_;  ///< Null: nothing is said.
  std::vector<Complaint> complaints_;
};

}  // namespace conga
