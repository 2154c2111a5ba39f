// SPDX-License-Identifier: Apache-2.0
//
// TestAcquirer: the embedded acquirer, with its own durable books beside the service's, as a real
// one has. These cards decide what it answers; any other is approved:
//
//   4242424242424242  approved
//   4000000000000002  declined: card_declined
//   4000000000009995  declined: insufficient_funds
//   4000000000000119  charged, but the first answer is lost (AcquirerTimeout)
//   4000000000000259  never answers (AcquirerTimeout each time), and never charges

#pragma once

#include "services/kit/database.h"
#include "services/payment/acquirer.h"

namespace conga::payment {

class TestAcquirer final : public Acquirer {
public:
  /// `database` must outlive the acquirer, and be another than the service's.
  explicit TestAcquirer(kit::Database& database) : database_(database) {}

  Result<> migrate();

  Result<Charge> charge(const std::string& key,
                        const std::string& card,
                        const contract::Money& amount) override;
  Result<std::string> reverse(const std::string& key, const std::string& charge_key) override;

private:
  kit::Database& database_;
};

}  // namespace conga::payment
