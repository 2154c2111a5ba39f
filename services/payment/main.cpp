// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/payment/payment.h"
#include "services/payment/test_acquirer.h"

namespace conga {
namespace {

int start(int argc, char** argv) {
  std::string books;
  std::unique_ptr<kit::Database> acquirer_database;
  std::unique_ptr<payment::TestAcquirer> acquirer;
  return kit::service_main(
      {.manifest = payment::Payment::declaration(),
       .description = "Charges bookings at most once, and refunds what cannot be flown.",
       .configure = [&](ConfigReader& section) { section.path("acquirer-database", books); },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         auto opened = kit::Database::open(books.empty() ? database.sibling("acquirer.db") : books);
         if (!opened) return opened.failure();
         acquirer_database = std::move(*opened);
         acquirer = std::make_unique<payment::TestAcquirer>(*acquirer_database);
         if (auto migrated = acquirer->migrate(); !migrated) return migrated.failure();
         return std::make_unique<payment::Payment>(database, *acquirer);
       }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
