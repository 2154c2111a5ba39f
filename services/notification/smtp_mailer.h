// SPDX-License-Identifier: Apache-2.0
//
// SmtpMailer: e-mail by way of a mail server (RFC 5321), on libcurl: STARTTLS or TLS from the
// start, AUTH, one connection a message. The server answers for a message once it has said 250 to
// the end of it. If that answer is lost, the message is sent again; its Message-ID is the same.

#pragma once

#include "common/core/clock.h"
#include "services/notification/carrier.h"

#include <string>
#include <string_view>

namespace conga::notification {

enum class StartTls {
  Required,
  Opportunistic,  ///< If the server offers it.
  Off,
};

struct SmtpOptions {
  std::string url;  ///< smtp://HOST:PORT or smtps://HOST:PORT; a path is what EHLO says.
  StartTls starttls = StartTls::Required;
  std::string user = {};  ///< Empty: no AUTH.
  std::string password = {};
  std::string ca_file = {};  ///< PEM; empty: the system's authorities.
  Duration timeout = std::chrono::seconds(30);
  std::string from = {};  ///< The envelope's sender, who is told of bounces.
};

class SmtpMailer final : public Carrier {
public:
  explicit SmtpMailer(SmtpOptions options) : options_(std::move(options)) {}

  /// Permanent, code `MailRefused`, if the server refuses the message for good (5yz), with its
  /// words. Transient: `MailDeferred` for its 4yz, `MailUnavailable` if it cannot be reached,
  /// trusted, or will not log us in: that is for the operator to mend, the message is as good as it
  /// was. May be called by several threads at once.
  Result<> deliver(const Parcel& parcel) override;

private:
  SmtpOptions options_;
};

/// `NAME@HOST`, without anything that could end the command or header it stands in.
bool is_mail_address(std::string_view text);

}  // namespace conga::notification
