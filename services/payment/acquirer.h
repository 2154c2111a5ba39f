// SPDX-License-Identifier: Apache-2.0
//
// Acquirer: the port to whoever moves the money. Every call has an idempotency key: a repeated key
// is answered as it was the first time, and moves nothing again.

#pragma once

#include "common/core/result.h"
#include "services/contract/events.h"

#include <string>

namespace conga::payment {

struct Authorisation {
  std::string payment_id;  ///< Of what was approved; empty: declined.
  std::string reason;      ///< If declined: the acquirer's code.
};

struct Capture {
  bool captured = false;
  std::string reason;  ///< If not: the acquirer's code.
};

struct Reversal {
  std::string payment_id;  ///< Of what was authorised; empty: nothing was, and nothing will be.
  bool refunded = false;   ///< Money had moved, and was given back; else it was only set aside.
};

/// An Error of any call is Transient while it may be made again: whether it has done anything is
/// not known then, and the same key finds out. Its code is `AcquirerTimeout` when no answer came.
class Acquirer {
public:
  Acquirer() = default;
  Acquirer(const Acquirer&) = delete;
  Acquirer& operator=(const Acquirer&) = delete;
  virtual ~Acquirer() = default;

  /// Sets `amount` aside on the card.
  virtual Result<Authorisation> authorise(const std::string& key,
                                          const std::string& card,
                                          const contract::Money& amount) = 0;

  /// Moves what was authorised as `payment_id`.
  virtual Result<Capture> capture(const std::string& key,
                                  const std::string& payment_id,
                                  const contract::Money& amount) = 0;

  /// Makes as if authorise() had never been called with `authorise_key`: refunds what was captured,
  /// or voids what was only set aside, which then can no longer be captured; or, if there was
  /// nothing, sees to it that there never is: a later authorise() with that key is declined as
  /// `cancelled`.
  virtual Result<Reversal> reverse(const std::string& key, const std::string& authorise_key) = 0;
};

}  // namespace conga::payment
