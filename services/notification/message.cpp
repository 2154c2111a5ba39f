// SPDX-License-Identifier: Apache-2.0

#include "services/notification/message.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace conga::notification {
namespace {

/// Quoted-printable text never holds `=_`, so no part can hold the boundary: RFC 2045 §6.7.
constexpr std::string_view kBoundary = "=_conga_alternative";

constexpr std::string_view kHex = "0123456789ABCDEF";

bool is_printable_ascii(char letter) {
  const auto code = static_cast<unsigned char>(letter);
  return code >= 0x20 && code < 0x7f;
}

void append_octet(std::string& out, char letter) {
  const auto code = static_cast<unsigned char>(letter);
  out += '=';
  out += kHex[code >> 4U];
  out += kHex[code & 0x0fU];
}

/// The bytes of the UTF-8 character at the front of `text`: an encoded word must not split one.
std::size_t character_size(std::string_view text) {
  std::size_t size = 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xc0U) == 0x80U) ++size;
  return size;
}

/// The "Q" encoding of one character: RFC 2047 §4.2.
std::string q_encoded(std::string_view character) {
  std::string out;
  for (const char octet : character) {
    const bool safe = (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z')
                      || (octet >= '0' && octet <= '9');
    if (safe) {
      out += octet;
    } else if (octet == ' ') {
      out += '_';
    } else {
      append_octet(out, octet);
    }
  }
  return out;
}

/// Text that must not start another header line.
std::string one_line(std::string_view text) {
  std::string line(text);
  std::ranges::replace_if(
      line, [](char letter) { return static_cast<unsigned char>(letter) < 0x20; }, ' ');
  return line;
}

std::string part(std::string_view type, std::string_view body) {
  std::string text = "--" + std::string(kBoundary) + "\n";
  text.append("Content-Type: ").append(type).append("; charset=utf-8\n");
  text += "Content-Transfer-Encoding: quoted-printable\n\n";
  return text + quoted_printable(body) + "\n";
}

}  // namespace

std::string quoted_printable(std::string_view text) {
  constexpr std::size_t kMaxLine = 76;  // RFC 2045 §6.7, the soft break's `=` included
  std::string out;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\n') {
      out += '\n';
      column = 0;
      continue;
    }
    const bool at_line_end = at + 1 == text.size() || text[at + 1] == '\n';
    const bool plain =
        is_printable_ascii(text[at]) && text[at] != '=' && !(text[at] == ' ' && at_line_end);
    const std::size_t width = plain ? 1 : 3;
    if (column + width >= kMaxLine) {
      out += "=\n";
      column = 0;
    }
    if (plain) {
      out += text[at];
    } else {
      append_octet(out, text[at]);
    }
    column += width;
  }
  return out;
}

std::string header(std::string_view name, std::string_view value) {
  constexpr std::size_t kMaxLine = 76;
  constexpr std::string_view kOpen = "=?UTF-8?Q?";
  constexpr std::string_view kClose = "?=";
  std::string out = std::string(name) + ": ";
  if (std::ranges::all_of(value, is_printable_ascii) && out.size() + value.size() <= kMaxLine) {
    return out.append(value);
  }
  std::size_t column = out.size() + kOpen.size();
  out += kOpen;
  while (!value.empty()) {
    const std::size_t size = character_size(value);
    const std::string encoded = q_encoded(value.substr(0, size));
    if (column + encoded.size() + kClose.size() > kMaxLine) {
      out.append(kClose).append("\n ").append(kOpen);
      column = 1 + kOpen.size();
    }
    out += encoded;
    column += encoded.size();
    value.remove_prefix(size);
  }
  return out.append(kClose);
}

std::string rfc5322_date(WallTime time) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss<Duration> clock(time - day);
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(),
                                 text.size(),
                                 "%s, %02u %s %04d %02d:%02d:%02d +0000",
                                 kDays[std::chrono::weekday(day).c_encoding()],
                                 static_cast<unsigned>(date.day()),
                                 kMonths[static_cast<unsigned>(date.month()) - 1],
                                 static_cast<int>(date.year()),
                                 static_cast<int>(clock.hours().count()),
                                 static_cast<int>(clock.minutes().count()),
                                 static_cast<int>(clock.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

std::string to_text(const Message& message) {
  std::string text;
  text += "From: " + one_line(message.from) + "\n";
  text += "To: " + one_line(message.to) + "\n";
  text += header("Subject", one_line(message.subject)) + "\n";
  text += "Date: " + rfc5322_date(message.date) + "\n";
  text += "Message-ID: " + message.message_id + "\n";
  text += "Auto-Submitted: auto-generated\n";  // RFC 3834: no out-of-office replies
  text += "Content-Language: " + one_line(message.language) + "\n";
  text += "MIME-Version: 1.0\n";
  text.append("Content-Type: multipart/alternative; boundary=\"")
      .append(kBoundary)
      .append("\"\n\n");
  text += part("text/plain", message.text);
  text += part("text/html", message.html);  // last is best: RFC 2046 §5.1.4
  return text.append("--").append(kBoundary).append("--\n");
}

}  // namespace conga::notification
