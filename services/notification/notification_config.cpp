// SPDX-License-Identifier: Apache-2.0

#include "services/notification/notification_config.h"

#include "services/notification/dispatch.h"

#include <utility>

namespace conga::notification {
namespace {

constexpr Duration kShortest = std::chrono::milliseconds(100);
constexpr Duration kLongest = std::chrono::minutes(10);

/// The first line of the file that `password-file` names.
void read_password(ConfigReader& reader, std::string& password) {
  std::string path;
  reader.path("password-file", path);
  if (path.empty()) return;
  const auto text = read_text_file(path);
  if (!text) return reader.fault("password-file", text.error().what);
  password = text->substr(0, text->find_first_of("\r\n"));
  if (password.empty()) reader.fault("password-file", path + " has an empty first line");
}

void check_scheme(ConfigReader& reader,
                  const std::string& url,
                  std::string_view plain,
                  std::string_view secure) {
  if (url.empty() || url.starts_with(plain) || url.starts_with(secure)) return;
  reader.fault("url",
               "expected " + std::string(plain) + "HOST:PORT or " + std::string(secure)
                   + "HOST:PORT, got '" + url + "'");
}

SmtpOptions read_smtp(ConfigReader& reader) {
  SmtpOptions smtp;
  reader.require("url");
  reader.text("url", smtp.url);
  check_scheme(reader, smtp.url, "smtp://", "smtps://");
  reader.choice("starttls",
                smtp.starttls,
                {{"required", StartTls::Required},
                 {"opportunistic", StartTls::Opportunistic},
                 {"off", StartTls::Off}});
  reader.text("user", smtp.user);
  read_password(reader, smtp.password);
  reader.path("ca-file", smtp.ca_file);
  reader.duration("timeout", smtp.timeout, kShortest, kLongest);
  const bool encrypted = smtp.starttls == StartTls::Required || smtp.url.starts_with("smtps://");
  if (!smtp.user.empty() && !encrypted) {
    reader.fault("starttls", "a password is sent over TLS only: set it to required");
  }
  if (smtp.user.empty() != smtp.password.empty()) {
    reader.fault("user", "user and password-file go together");
  }
  return smtp;
}

SmsGatewayOptions read_gateway(ConfigReader& reader) {
  SmsGatewayOptions gateway;
  reader.require("url");
  reader.text("url", gateway.url);
  check_scheme(reader, gateway.url, "http://", "https://");
  reader.text("user", gateway.user);
  read_password(reader, gateway.password);
  reader.require("from");
  reader.text("from", gateway.from);
  reader.path("ca-file", gateway.ca_file);
  reader.duration("timeout", gateway.timeout, kShortest, kLongest);
  return gateway;
}

void read_templates(ConfigReader& reader, Templates& into) {
  std::string folder;
  reader.require("templates");
  reader.path("templates", folder);
  if (folder.empty()) return;
  auto templates = Templates::load(folder);
  if (!templates) return reader.fault("templates", "is faulty:\n" + templates.error().what);
  into = std::move(*templates);
}

OptOut read_opt_out(ConfigReader& reader) {
  OptOut out;
  reader.require("recipient");
  reader.text("recipient", out.recipient);
  reader.require("channel");
  reader.choice("channel", out.channel, {{kEmail, std::string(kEmail)}, {kSms, std::string(kSms)}});
  return out;
}

}  // namespace

void read_config(ConfigReader& reader, NotificationConfig& config) {
  read_templates(reader, config.templates);
  reader.text("from", config.from);
  if (!is_mail_address(config.from)) {
    reader.fault("from", "expected a mail address, got '" + config.from + "'");
  }
  if (reader.any("smtp") != nullptr) {
    ConfigReader section = reader.section("smtp");
    config.smtp = read_smtp(section);
    config.smtp->from = config.from;
  } else {
    reader.require("maildir");
  }
  reader.path("maildir", config.maildir);
  if (reader.any("sms-gateway") != nullptr) {
    ConfigReader section = reader.section("sms-gateway");
    config.sms_gateway = read_gateway(section);
  }
  reader.path("sms-folder", config.sms_folder);
  reader.integer("workers", config.workers, 1, 64);
  reader.each("opt-outs",
              [&](ConfigReader& each) { config.opt_outs.push_back(read_opt_out(each)); });
}

}  // namespace conga::notification
