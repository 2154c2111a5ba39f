// SPDX-License-Identifier: Apache-2.0
//
// Acquirer: the port to whoever moves the money. Every call has an idempotency key: a repeated key
// is answered as it was the first time, and moves nothing again.

#pragma once

#include "common/core/result.h"
#include "services/contract/events.h"

#include <string>

namespace conga::payment {

struct Charge {
  bool approved = false;
  std::string payment_id;  ///< If approved.
  std::string reason;      ///< If declined: the acquirer's code.
};

class Acquirer {
public:
  Acquirer() = default;
  Acquirer(const Acquirer&) = delete;
  Acquirer& operator=(const Acquirer&) = delete;
  virtual ~Acquirer() = default;

  /// Transient with code `AcquirerTimeout` when no answer came: the charge may or may not have
  /// been made, and the same key finds out.
  virtual Result<Charge> charge(const std::string& key,
                                const std::string& card,
                                const contract::Money& amount) = 0;

  /// Makes as if charge() had never been called with `charge_key`: gives back what it moved, under
  /// `key`, and returns the payment's id; or, if it has moved nothing, returns an empty text, and
  /// sees to it that it never will: a later charge() with that key is declined as `cancelled`.
  virtual Result<std::string> reverse(const std::string& key, const std::string& charge_key) = 0;
};

}  // namespace conga::payment
