// SPDX-License-Identifier: Apache-2.0
//
// HttpAcquirer: an acquirer behind HTTP, in the manner of the usual payment APIs. README.md has
// the requests and answers. Every request carries the secret as bearer token (RFC 6750) and its
// key as Idempotency-Key.

#pragma once

#include "services/kit/http_client.h"
#include "services/payment/acquirer.h"

#include <string>
#include <string_view>

namespace conga::payment {

class HttpAcquirer final : public Acquirer {
public:
  /// `url`: what `/authorisations` and the other paths are appended to. May be used by several
  /// threads at once.
  HttpAcquirer(std::string url, std::string secret, kit::HttpOptions options);

  Result<Authorisation> authorise(const std::string& key,
                                  const std::string& card,
                                  const contract::Money& amount) override;
  Result<Capture> capture(const std::string& key,
                          const std::string& payment_id,
                          const contract::Money& amount) override;
  Result<Reversal> reverse(const std::string& key, const std::string& authorise_key) override;

private:
  Result<std::string> call(std::string_view path,
                           const std::string& key,
                           const std::string& body) const;

  std::string url_;
  std::string secret_;
  kit::HttpClient client_;
};

}  // namespace conga::payment
