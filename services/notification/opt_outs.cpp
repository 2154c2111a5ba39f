// SPDX-License-Identifier: Apache-2.0

#include "services/notification/opt_outs.h"

#include <algorithm>
#include <strings.h>

namespace conga::notification {

Result<bool> has_opted_out(kit::Database& database,
                           const std::vector<OptOut>& preset,
                           const std::string& recipient,
                           std::string_view channel) {
  const bool is_preset = std::ranges::any_of(preset, [&](const OptOut& each) {
    return each.channel == channel && ::strcasecmp(each.recipient.c_str(), recipient.c_str()) == 0;
  });
  if (is_preset) return true;
  const auto row = database.one("SELECT 1 FROM opt_outs WHERE recipient = ? AND channel = ?",
                                {recipient, channel});
  if (!row) return row.failure();
  return row->has_value();
}

}  // namespace conga::notification
