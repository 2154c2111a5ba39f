// SPDX-License-Identifier: Apache-2.0
//
// Carrier: the port that messages leave by, one for each channel. A repeated key should not make a
// second message where that can be helped: the service's store knows what was sent, and only a try
// whose end nobody saw is made again.

#pragma once

#include "common/core/result.h"

#include <string>
#include <string_view>

namespace conga::notification {

enum class Attempt {
  First,
  Again,  ///< An earlier one with this key may have delivered the message.
};

struct Parcel {
  std::string key;      ///< Letters, digits and hyphens.
  std::string to;       ///< An e-mail address, or a phone number as E.164 has it.
  std::string content;  ///< An e-mail with its headers, or the text of an SMS; UTF-8.
  Attempt attempt = Attempt::First;
};

class Carrier {
public:
  Carrier() = default;
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;
  virtual ~Carrier() = default;

  /// Transient: later may work. Permanent: it never will. A carrier that waits for a network may be
  /// called by several threads at once.
  virtual Result<> deliver(const Parcel& parcel) = 0;
};

/// What a server said, fit for logs and facts: one line of printable ASCII, and not too long.
std::string server_words(std::string_view said);

}  // namespace conga::notification
