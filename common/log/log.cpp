// SPDX-License-Identifier: Apache-2.0

#include "common/log/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <unistd.h>
#include <utility>

namespace conga {
namespace {

constexpr Duration kComplaintInterval = std::chrono::seconds(1);
constexpr std::size_t kMaxComplaintKinds = 64;

spdlog::level::level_enum spd_level(LogLevel level) {
  constexpr std::array<spdlog::level::level_enum, 4> kLevels{
      spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  return kLevels[static_cast<std::size_t>(level)];
}

/// JSON's string escapes (RFC 8259, section 7); they also keep a text line on one line.
std::string escaped(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(text.size() + 2);
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (code >= 0x20) {
      if (letter == '"' || letter == '\\') out += '\\';
      out += letter;
    } else if (letter == '\n') {
      out += "\\n";
    } else {
      out += "\\u00";
      out += kHex[code >> 4U];
      out += kHex[code & 0x0fU];
    }
  }
  return out;
}

std::string quoted(std::string_view text) {
  return '"' + escaped(text) + '"';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || std::ranges::any_of(text, [](char letter) {
           return static_cast<unsigned char>(letter) <= 0x20 || letter == '"' || letter == '=';
         });
}

/// Text from outside must not reach the terminal as control characters; line ends may stay, for
/// messages of several lines (the faults of a file).
std::string without_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    const bool plain = static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7f;
    if (plain || letter == '\n') {
      out += letter;
    } else {
      out += escaped(std::string_view(&letter, 1));
    }
  }
  return out;
}

class StderrSink final : public LogSink {
public:
  explicit StderrSink(LogOptions::Format format)
      : json_(format == LogOptions::Format::Json), logger_("conga", make_sink(json_)) {
    logger_.set_level(spdlog::level::trace);
    logger_.flush_on(spdlog::level::trace);
    logger_.set_formatter(std::make_unique<spdlog::pattern_formatter>(
        json_ ? R"({"time":"%Y-%m-%dT%H:%M:%S.%fZ","level":"%l",%v})"
              : "%Y-%m-%dT%H:%M:%S.%fZ %^%-7l%$ %v",
        spdlog::pattern_time_type::utc));
  }

  void write(const LogLine& line) override {
    const spdlog::level::level_enum level = spd_level(line.level);
    if (json_) {
      logger_.log(level, spdlog::string_view_t(format_json_members(line)));
      return;
    }
    std::string text(line.channel);
    text += ": ";
    text += format_text(line.message, line.fields);
    logger_.log(level, spdlog::string_view_t(text));
  }

private:
  static spdlog::sink_ptr make_sink(bool json) {
    if (json || ::isatty(STDERR_FILENO) == 0) {
      return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    }
    return std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  }

  bool json_;
  spdlog::logger logger_;
};

std::string_view name_of(LogLevel level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

}  // namespace

std::shared_ptr<LogSink> make_stderr_sink(LogOptions::Format format) {
  return std::make_shared<StderrSink>(format);
}

std::string format_text(std::string_view message, LogFields fields) {
  std::string text = without_controls(message);
  for (const LogField& field : fields) {
    text.append(" ").append(field.key).append("=");
    text += field.is_text && needs_quotes(field.value) ? quoted(field.value) : field.value;
  }
  return text;
}

std::string format_json_members(const LogLine& line) {
  std::string text;
  text.append(R"("channel":)").append(quoted(line.channel));
  text.append(R"(,"message":)").append(quoted(line.message));
  for (const LogField& field : line.fields) {
    text.append(",").append(quoted(field.key)).append(":");
    text += field.is_text ? quoted(field.value) : field.value;
  }
  return text;
}

void CapturingSink::write(const LogLine& line) {
  std::string text(name_of(line.level));
  text.append(" ").append(line.channel).append(": ");
  text += format_text(line.message, line.fields);
  lines_.push_back(std::move(text));
}

Log::Log(std::string channel, const LogOptions& options)
    : Log(std::move(channel), options.level, make_stderr_sink(options.format)) {}

Log::Log(std::string channel, LogLevel level, std::shared_ptr<LogSink> sink)
    : channel_(std::move(channel)), level_(level), sink_(std::move(sink)) {}

Log Log::null() {
  return {"", LogLevel::Error, nullptr};
}

Log Log::channel(std::string_view name) const {
  return {channel_ + "." + std::string(name), level_, sink_};
}

void Log::emit(LogLevel level, std::string_view message, LogFields fields) {
  if (sink_ == nullptr) return;
  sink_->write({.level = level, .channel = channel_, .message = message, .fields = fields});
}

Log::Complaint& Log::complaint(const Time& now, std::string_view kind) {
  auto known = std::ranges::find(complaints_, kind, &Complaint::kind);
  if (known != complaints_.end()) return *known;
  if (complaints_.size() >= kMaxComplaintKinds) return complaints_.back();
  return complaints_.emplace_back(Complaint{
      .kind = std::string(kind), .written = now.steady - kComplaintInterval, .left_out = 0});
}

void Log::complain(const Time& now,
                   std::string_view kind,
                   std::string_view message,
                   std::initializer_list<LogField> fields) {
  Complaint& known = complaint(now, kind);
  if (now.steady - known.written < kComplaintInterval) {
    ++known.left_out;
    return;
  }
  std::string text(message);
  if (known.left_out > 0) text += " (" + std::to_string(known.left_out) + " like it left out)";
  known.written = now.steady;
  known.left_out = 0;
  write(LogLevel::Warning, text, fields);
}

void Log::on_time(const Time& now) {
  std::erase_if(complaints_, [&](const Complaint& known) {
    if (now.steady - known.written < kComplaintInterval) return false;
    if (known.left_out > 0) {
      write(LogLevel::Warning,
            known.kind + ": " + std::to_string(known.left_out) + " more like it left out",
            {});
    }
    return true;
  });
}

}  // namespace conga
