// SPDX-License-Identifier: Apache-2.0
//
// Mailer: the port that messages leave by. A repeated key must not make a second message.
// The service's store knows what was sent; only a try whose end nobody saw is made again.

#pragma once

#include "common/core/result.h"

#include <string>

namespace conga::notification {

enum class Attempt {
  First,
  Again,  ///< An earlier one with this key may have delivered the message.
};

class Mailer {
public:
  Mailer() = default;
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;
  virtual ~Mailer() = default;

  /// `key`: letters, digits and hyphens. Transient: later may work. Permanent: it never will.
  virtual Result<> deliver(const std::string& key, const std::string& message, Attempt attempt) = 0;
};

}  // namespace conga::notification
