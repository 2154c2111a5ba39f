// SPDX-License-Identifier: Apache-2.0
//
// OptOuts: who wants no messages on a channel: those that the configuration names, and those in the
// table `opt_outs`, which may be changed while the service runs.

#pragma once

#include "services/kit/database.h"

#include <string>
#include <string_view>
#include <vector>

namespace conga::notification {

struct OptOut {
  std::string recipient;  ///< An e-mail address, in any case, or a phone number.
  std::string channel;    ///< email, sms
};

/// Whether `recipient` is in `preset` or in the table.
Result<bool> has_opted_out(kit::Database& database,
                           const std::vector<OptOut>& preset,
                           const std::string& recipient,
                           std::string_view channel);

}  // namespace conga::notification
