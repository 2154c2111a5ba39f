// SPDX-License-Identifier: Apache-2.0
//
// Message: an e-mail as RFC 5322 and RFC 2045 ask: folded headers, encoded words for what is not
// ASCII (RFC 2047), and the body twice in quoted-printable UTF-8: as text and as HTML (RFC 2046's
// multipart/alternative). Its Message-ID comes from the event that it tells of, so that a repeat is
// recognisable.

#pragma once

#include "common/core/clock.h"

#include <string>
#include <string_view>

namespace conga::notification {

struct Message {
  std::string from;
  std::string to;
  std::string subject;
  std::string message_id;  ///< `<…@…>`
  WallTime date;
  std::string language;  ///< BCP 47
  std::string text;      ///< UTF-8, lines end with \n.
  std::string html;      ///< The same, for those who see it.
};

/// Lines end with \n, as a Maildir keeps them; SMTP wants \r\n.
std::string to_text(const Message& message);

std::string quoted_printable(std::string_view text);

/// `NAME: VALUE` without the line's end. A value that is not printable ASCII, or does not fit into
/// 76 characters, becomes encoded words on lines of at most 76 (RFC 2047 §2).
std::string header(std::string_view name, std::string_view value);

/// `Mon, 23 Nov 2026 06:27:40 +0000`
std::string rfc5322_date(WallTime time);

}  // namespace conga::notification
