// SPDX-License-Identifier: Apache-2.0
//
// TestAcquirer: the embedded acquirer, with its own durable books beside the service's, as a real
// one has. These cards decide what it answers; any other is approved:
//
//   4242424242424242  approved
//   4000000000000002  declined: card_declined
//   4000000000009995  declined: insufficient_funds
//   4000000000000069  declined: expired_card
//   4000000000000127  declined: incorrect_cvc
//   4000000000009979  declined: stolen_card
//   4000000000000341  approved once for an amount; then declined: duplicate_transaction
//   4000000000000408  approved, but the capture is declined: authorisation_expired
//   4000000000000119  approved, but the first answer is lost (AcquirerTimeout)
//   4000000000000135  captured, but the first answer is lost (AcquirerTimeout)
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

  Result<Authorisation> authorise(const std::string& key,
                                  const std::string& card,
                                  const contract::Money& amount) override;
  Result<Capture> capture(const std::string& key,
                          const std::string& payment_id,
                          const contract::Money& amount) override;
  Result<Reversal> reverse(const std::string& key, const std::string& authorise_key) override;

private:
  template <class Answer, class Work>
  Result<Answer> atomically(Work work);

  Result<Authorisation> decide(const std::string& key,
                               const std::string& card,
                               const contract::Money& amount);
  Result<Capture> move(const std::string& key,
                       const std::string& payment_id,
                       const contract::Money& amount);
  Result<Reversal> undo(const std::string& key, const std::string& authorise_key);
  Result<std::string> reason_for(const std::string& card, const contract::Money& amount);

  kit::Database& database_;
};

}  // namespace conga::payment
