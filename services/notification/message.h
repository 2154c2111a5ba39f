// SPDX-License-Identifier: Apache-2.0
//
// Message: an e-mail as RFC 5322 and RFC 2045 ask: folded headers, encoded words for what is not
// ASCII (RFC 2047), a quoted-printable UTF-8 body. Its Message-ID comes from the event that it
// tells of, so that a repeat is recognisable.

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
  std::string body;  ///< UTF-8, lines end with \n.
};

/// Lines end with \n, as a Maildir keeps them; SMTP wants \r\n.
std::string to_text(const Message& message);

std::string quoted_printable(std::string_view text);

/// Plain if it is printable ASCII, else encoded words of at most 75 characters.
std::string header_value(std::string_view text);

/// `Mon, 23 Nov 2026 06:27:40 +0000`
std::string rfc5322_date(WallTime time);

}  // namespace conga::notification
