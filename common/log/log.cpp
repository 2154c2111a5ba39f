// SPDX-License-Identifier: Apache-2.0

#include "common/log/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <utility>

namespace conga {
namespace {

spdlog::level::level_enum spd_level(LogLevel level) {
  constexpr std::array<spdlog::level::level_enum, 4> kLevels{
      spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  return kLevels[static_cast<std::size_t>(level)];
}

/// JSON's string escapes: RFC 8259 §7.
std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') out += '\\';
    if (code >= 0x20) {
      out += letter;
      continue;
    }
    out += "\\u00";
    out += kHex[code >> 4U];
    out += kHex[code & 0x0fU];
  }
  return out;
}

class StderrSink final : public LogSink {
public:
  explicit StderrSink(const LogOptions& options)
      : json_(options.format == LogOptions::Format::Json),
        logger_("conga", std::make_shared<spdlog::sinks::stderr_color_sink_st>()) {
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::trace);
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        json_ ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})"
              : "%Y-%m-%dT%H:%M:%S.%fZ %^%-7l%$ %v",
        spdlog::pattern_time_type::utc));
  }

  void write(LogLevel level, std::string_view channel, std::string_view message) override {
    std::string line;
    if (json_) {
      line.append(R"("channel":")").append(escaped(channel));
      line.append(R"(","message":")").append(escaped(message)).append("\"");
    } else {
      line.append(channel).append(": ").append(message);
    }
    logger_.log(spd_level(level), "{}", line);
  }

private:
  bool json_;
  spdlog::logger logger_;
};

}  // namespace

std::unique_ptr<LogSink> make_stderr_sink(const LogOptions& options) {
  return std::make_unique<StderrSink>(options);
}

Log::Log(std::string channel, LogLevel level, std::unique_ptr<LogSink> sink)
    : channel_(std::move(channel)), level_(level), sink_(std::move(sink)) {}

void Log::complain(const Time& now, std::string_view kind, std::string_view message) {
  auto known = std::ranges::find(complaints_, kind, &Complaint::kind);
  if (known == complaints_.end()) {
    complaints_.push_back({.kind = std::string(kind), .written = now.steady, .left_out = 0});
    write(LogLevel::Warning, message);
    return;
  }
  if (now.steady - known->written < std::chrono::seconds(1)) {
    ++known->left_out;
    return;
  }
  std::string line(message);
  if (known->left_out > 0) line += " (" + std::to_string(known->left_out) + " like it left out)";
  known->written = now.steady;
  known->left_out = 0;
  write(LogLevel::Warning, line);
}

void Log::write(LogLevel level, std::string_view message) {
  if (level >= level_) sink_->write(level, channel_, message);
}

}  // namespace conga
