// SPDX-License-Identifier: Apache-2.0
//
// SmsGateway: SMS by way of an HTTP gateway that is asked as Kannel's smsbox is (sendsms,
// https://www.kannel.org/download/kannel-userguide-snapshot/userguide.html), which others follow.
// It has no notion of a repeat: if an answer is lost, the customer may be told twice.

#pragma once

#include "common/core/clock.h"
#include "services/kit/http_client.h"
#include "services/notification/carrier.h"

#include <string>
#include <string_view>

namespace conga::notification {

struct SmsGatewayOptions {
  std::string url;  ///< http://HOST:PORT/cgi-bin/sendsms
  std::string user = {};
  std::string password = {};
  std::string from = {};     ///< The sender that the phone shows.
  std::string ca_file = {};  ///< PEM; empty: the system's authorities.
  Duration timeout = std::chrono::seconds(10);
};

class SmsGateway final : public Carrier {
public:
  explicit SmsGateway(SmsGatewayOptions options);

  /// Permanent, code `SmsRefused`, for the gateway's 4xx, with its words. Transient: `SmsDeferred`
  /// for any other answer and for a 4xx that is the operator's to mend (401, 403) or says later
  /// (408, 429); HttpClient's codes without one. May be called by several threads at once.
  Result<> deliver(const Parcel& parcel) override;

private:
  SmsGatewayOptions options_;
  kit::HttpClient http_;
};

/// Whether every character is one of GSM 03.38, so that a message holds 160 of them and not 70.
bool is_gsm7(std::string_view utf8);

}  // namespace conga::notification
