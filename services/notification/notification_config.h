// SPDX-License-Identifier: Apache-2.0
//
// The service's own section of config/notification.yaml, which tells what each key means.

#pragma once

#include "common/config/config_reader.h"
#include "services/notification/opt_outs.h"
#include "services/notification/sms_gateway.h"
#include "services/notification/smtp_mailer.h"
#include "services/notification/templates.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace conga::notification {

struct NotificationConfig {
  Templates templates;
  std::string from = "bookings@airline.example";
  std::string maildir = {};                           ///< Without `smtp`.
  std::optional<SmtpOptions> smtp = {};               ///< Without it: the Maildir.
  std::string sms_folder = {};                        ///< Empty: `sms` beside the database.
  std::optional<SmsGatewayOptions> sms_gateway = {};  ///< Without it: the folder.
  std::size_t workers = 8;
  std::vector<OptOut> opt_outs = {};

  bool waits_for_network() const { return smtp || sms_gateway; }
};

void read_config(ConfigReader& reader, NotificationConfig& config);

}  // namespace conga::notification
