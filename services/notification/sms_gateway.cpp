// SPDX-License-Identifier: Apache-2.0

#include "services/notification/sms_gateway.h"

#include <algorithm>
#include <array>
#include <utility>

namespace conga::notification {
namespace {

/// GSM 03.38's basic table and its extension, as UTF-8.
constexpr std::string_view kGsm7 =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    "^{}\\[~]|€";

bool is_continuation(char octet) {
  return (static_cast<unsigned char>(octet) & 0xc0U) == 0x80U;
}

/// 0: accepted, 3: queued.
bool is_accepted(const kit::HttpResponse& answer) {
  if (answer.status == 202) return true;
  return answer.status == 200 && (answer.body.starts_with("0:") || answer.body.starts_with("3:"));
}

bool is_for_good(long status) {
  constexpr std::array<long, 4> kLater{401, 403, 408, 429};
  return status >= 400 && status < 500 && std::ranges::find(kLater, status) == kLater.end();
}

std::string words_of(const kit::HttpResponse& answer) {
  return std::to_string(answer.status) + " " + server_words(answer.body);
}

}  // namespace

bool is_gsm7(std::string_view utf8) {
  for (std::size_t at = 0; at < utf8.size();) {
    std::size_t end = at + 1;
    while (end < utf8.size() && is_continuation(utf8[end])) ++end;
    if (kGsm7.find(utf8.substr(at, end - at)) == std::string_view::npos) return false;
    at = end;
  }
  return true;
}

SmsGateway::SmsGateway(SmsGatewayOptions options)
    : options_(std::move(options)),
      http_(kit::HttpOptions{.connect_timeout = options_.timeout,
                             .timeout = options_.timeout,
                             .ca_file = options_.ca_file}) {}

Result<> SmsGateway::deliver(const Parcel& parcel) {
  const std::string query = kit::form_encoded({{"username", options_.user},
                                               {"password", options_.password},
                                               {"from", options_.from},
                                               {"to", parcel.to},
                                               {"charset", "UTF-8"},
                                               {"coding", is_gsm7(parcel.content) ? "0" : "2"},
                                               {"text", parcel.content}});
  const auto answer = http_.send({.method = "GET", .url = options_.url + "?" + query});
  if (!answer) return answer.failure();
  if (is_accepted(*answer)) return {};
  if (is_for_good(answer->status)) return fail(Fault::Permanent, words_of(*answer), "SmsRefused");
  return fail(Fault::Transient, options_.url + " answers " + words_of(*answer), "SmsDeferred");
}

}  // namespace conga::notification
