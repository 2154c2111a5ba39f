// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/notification/maildir.h"
#include "services/notification/notification.h"
#include "services/notification/notification_config.h"
#include "services/notification/sms_folder.h"

#include <memory>

namespace conga {
namespace {

using Carriage = Result<std::unique_ptr<notification::Carrier>>;

Carriage open_email(const notification::NotificationConfig& config) {
  if (config.smtp) return std::make_unique<notification::SmtpMailer>(*config.smtp);
  auto maildir = notification::Maildir::open(config.maildir);
  if (!maildir) return maildir.failure();
  return std::move(*maildir);
}

Carriage open_sms(const notification::NotificationConfig& config, const kit::Database& database) {
  if (config.sms_gateway) return std::make_unique<notification::SmsGateway>(*config.sms_gateway);
  auto folder = notification::SmsFolder::open(config.sms_folder.empty() ? database.sibling("sms")
                                                                        : config.sms_folder);
  if (!folder) return folder.failure();
  return std::move(*folder);
}

int start(int argc, char** argv) {
  notification::NotificationConfig config;
  std::unique_ptr<notification::Carrier> email;
  std::unique_ptr<notification::Carrier> sms;
  return kit::service_main(
      {.manifest = notification::Notification::declaration(),
       .description = "Tells customers by e-mail and SMS how their bookings go.",
       .configure = [&](ConfigReader& section) { notification::read_config(section, config); },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         auto mail_carrier = open_email(config);
         if (!mail_carrier) return mail_carrier.failure();
         auto sms_carrier = open_sms(config, database);
         if (!sms_carrier) return sms_carrier.failure();
         email = std::move(*mail_carrier);
         sms = std::move(*sms_carrier);
         return std::make_unique<notification::Notification>(
             database,
             notification::Office{.templates = config.templates,
                                  .email = *email,
                                  .sms = *sms,
                                  .from = config.from,
                                  .opt_outs = config.opt_outs});
       },
       .effect_workers = [&] { return config.waits_for_network() ? config.workers : 0; }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
