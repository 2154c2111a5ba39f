// SPDX-License-Identifier: Apache-2.0

#include "services/payment/http_acquirer.h"

#include "common/wire/event/json.h"

#include <utility>

namespace conga::payment {
namespace {

constexpr long kOk = 200;
constexpr long kDeclined = 402;
constexpr long kUnauthorised = 401;
constexpr long kForbidden = 403;
constexpr long kRequestTimeout = 408;
constexpr long kConflict = 409;
constexpr long kTooEarly = 425;
constexpr long kTooMany = 429;
constexpr long kServerFaults = 500;

struct AuthoriseRequest {
  std::string card;
  contract::Money amount;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("card", self.card);
    visit("amount", self.amount.amount);
    visit("currency", self.amount.currency);
  }
};

struct CaptureRequest {
  std::string payment_id;
  contract::Money amount;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("payment-id", self.payment_id);
    visit("amount", self.amount.amount);
    visit("currency", self.amount.currency);
  }
};

struct ReverseRequest {
  std::string authorisation_key;

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("authorisation-key", self.authorisation_key);
  }
};

/// Of every request.
struct Answer {
  std::string status = {};
  std::string payment_id = {};
  std::string reason = {};

  template <class Self, class Visit>
  static void describe(Self& self, Visit& visit) {
    visit("status", self.status);
    visit.optional("payment-id", self.payment_id);
    visit.optional("reason", self.reason);
  }
};

template <class T>
std::string json_of(const T& request) {
  const std::string bytes = contract::to_detail(request);
  return to_json(Value::trusted(bytes));
}

/// Trying again finds out what was done.
tl::unexpected<Error> garbled(const std::string& what) {
  return fail(Fault::Transient, "the acquirer's answer cannot be read: " + what, "AcquirerGarbled");
}

Result<Answer> answer_of(const std::string& json) {
  const auto bytes = json_to_msgpack(json);
  if (!bytes) return garbled(bytes.error().what);
  auto answer = contract::from_detail<Answer>(Value::trusted(*bytes));
  if (!answer) return garbled(answer.error().what);
  return answer;
}

tl::unexpected<Error> unexpected_status(const Answer& answer) {
  return garbled("status '" + answer.status + "'");
}

bool may_pass(long status) {
  return status >= kServerFaults || status == kRequestTimeout || status == kConflict
         || status == kTooEarly || status == kTooMany;
}

std::string start_of(const std::string& body) {
  constexpr std::size_t kShown = 200;
  return body.substr(0, kShown);
}

}  // namespace

HttpAcquirer::HttpAcquirer(std::string url, std::string secret, kit::HttpOptions options)
    : url_(std::move(url)), secret_(std::move(secret)), client_(std::move(options)) {}

/// The body of a 200 or a 402.
Result<std::string> HttpAcquirer::call(std::string_view path,
                                       const std::string& key,
                                       const std::string& body) const {
  auto response = client_.send({.method = "POST",
                                .url = url_ + std::string(path),
                                .headers = {"Authorization: Bearer " + secret_,
                                            "Content-Type: application/json",
                                            "Idempotency-Key: " + key},
                                .body = body});
  if (!response) {
    const bool late = response.error().code == "HttpTimeout";
    return fail(
        Fault::Transient, response.error().what, late ? "AcquirerTimeout" : "AcquirerUnavailable");
  }
  if (response->status == kOk || response->status == kDeclined) return std::move(response->body);
  const std::string said = "the acquirer answered " + std::to_string(response->status) + " to "
                           + std::string(path) + ": " + start_of(response->body);
  if (response->status == kUnauthorised || response->status == kForbidden) {
    // Nothing is wrong with the booking: it waits until somebody has repaired the configuration.
    return fail(Fault::Transient, said + " (see payment.http.secret-file)", "AcquirerRefusedUs");
  }
  if (may_pass(response->status)) return fail(Fault::Transient, said, "AcquirerUnavailable");
  return fail(Fault::Permanent, said, "AcquirerRefused");
}

Result<Authorisation> HttpAcquirer::authorise(const std::string& key,
                                              const std::string& card,
                                              const contract::Money& amount) {
  const auto body =
      call("/authorisations", key, json_of(AuthoriseRequest{.card = card, .amount = amount}));
  if (!body) return body.failure();
  const auto answer = answer_of(*body);
  if (!answer) return answer.failure();
  if (answer->status == "approved" && !answer->payment_id.empty()) {
    return Authorisation{.payment_id = answer->payment_id, .reason = {}};
  }
  if (answer->status != "declined") return unexpected_status(*answer);
  return Authorisation{.payment_id = {}, .reason = answer->reason};
}

Result<Capture> HttpAcquirer::capture(const std::string& key,
                                      const std::string& payment_id,
                                      const contract::Money& amount) {
  const auto body =
      call("/captures", key, json_of(CaptureRequest{.payment_id = payment_id, .amount = amount}));
  if (!body) return body.failure();
  const auto answer = answer_of(*body);
  if (!answer) return answer.failure();
  if (answer->status == "captured") return Capture{.captured = true, .reason = {}};
  if (answer->status != "declined") return unexpected_status(*answer);
  return Capture{.captured = false, .reason = answer->reason};
}

Result<Reversal> HttpAcquirer::reverse(const std::string& key, const std::string& authorise_key) {
  const auto body =
      call("/reversals", key, json_of(ReverseRequest{.authorisation_key = authorise_key}));
  if (!body) return body.failure();
  const auto answer = answer_of(*body);
  if (!answer) return answer.failure();
  if (answer->status == "nothing") return Reversal();
  const bool refunded = answer->status == "refunded";
  if ((!refunded && answer->status != "voided") || answer->payment_id.empty()) {
    return unexpected_status(*answer);
  }
  return Reversal{.payment_id = answer->payment_id, .refunded = refunded};
}

}  // namespace conga::payment
