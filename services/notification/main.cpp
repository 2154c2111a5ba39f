// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/notification/maildir.h"
#include "services/notification/notification.h"

namespace conga {
namespace {

int start(int argc, char** argv) {
  std::string path;
  std::string from = "bookings@airline.example";
  std::unique_ptr<notification::Maildir> maildir;
  return kit::service_main(
      {.manifest = notification::Notification::declaration(),
       .description = "Tells customers by e-mail how their bookings go.",
       .configure =
           [&](ConfigReader& section) {
             section.require("maildir");
             section.path("maildir", path);
             section.text("from", from);
           },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         auto opened = notification::Maildir::open(path);
         if (!opened) return opened.failure();
         maildir = std::move(*opened);
         return std::make_unique<notification::Notification>(database, *maildir, from);
       }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
