// SPDX-License-Identifier: Apache-2.0

#include "services/kit/service_main.h"
#include "services/payment/http_acquirer.h"
#include "services/payment/payment.h"
#include "services/payment/test_acquirer.h"

namespace conga {
namespace {

enum class AcquirerKind { Embedded, Http };

struct PaymentConfig {
  AcquirerKind kind = AcquirerKind::Embedded;
  std::string books;
  std::string url;
  std::string secret_file;
  std::size_t workers = 8;
  kit::HttpOptions http{.timeout = std::chrono::seconds(5)};
};

void read_config(ConfigReader& section, PaymentConfig& config) {
  using std::chrono::milliseconds;
  section.choice("acquirer",
                 config.kind,
                 {{"embedded", AcquirerKind::Embedded}, {"http", AcquirerKind::Http}});
  section.path("acquirer-database", config.books);
  ConfigReader http = section.section("http");
  if (config.kind == AcquirerKind::Http) {
    http.require("url");
    http.require("secret-file");
  }
  http.text("url", config.url);
  http.path("secret-file", config.secret_file);
  http.path("ca-file", config.http.ca_file);
  http.duration("timeout", config.http.timeout, milliseconds(100), std::chrono::minutes(2));
  http.integer("workers", config.workers, 1, 256);
}

/// With its books.
Result<std::unique_ptr<payment::Acquirer>> open_embedded(const std::string& path,
                                                         std::unique_ptr<kit::Database>& books) {
  auto opened = kit::Database::open(path);
  if (!opened) return opened.failure();
  books = std::move(*opened);
  auto acquirer = std::make_unique<payment::TestAcquirer>(*books);
  if (auto migrated = acquirer->migrate(); !migrated) return migrated.failure();
  return std::unique_ptr<payment::Acquirer>(std::move(acquirer));
}

Result<std::unique_ptr<payment::Acquirer>> open_http(const PaymentConfig& config) {
  auto secret = read_text_file(config.secret_file);
  if (!secret) return secret.failure();
  const std::size_t end = secret->find_last_not_of(" \r\n");
  secret->resize(end == std::string::npos ? 0 : end + 1);
  return std::unique_ptr<payment::Acquirer>(
      std::make_unique<payment::HttpAcquirer>(config.url, *secret, config.http));
}

int start(int argc, char** argv) {
  PaymentConfig config;
  std::unique_ptr<kit::Database> books;
  std::unique_ptr<payment::Acquirer> acquirer;
  return kit::service_main(
      {.manifest = payment::Payment::declaration(),
       .description = "Charges bookings at most once, and refunds what cannot be flown.",
       .configure = [&](ConfigReader& section) { read_config(section, config); },
       .make = [&](kit::Database& database) -> Result<std::unique_ptr<kit::Handlers>> {
         const std::string path =
             config.books.empty() ? database.sibling("acquirer.db") : config.books;
         auto opened =
             config.kind == AcquirerKind::Http ? open_http(config) : open_embedded(path, books);
         if (!opened) return opened.failure();
         acquirer = std::move(*opened);
         return std::make_unique<payment::Payment>(database, *acquirer);
       },
       .reports = {{.flag = {.flag = "--ledger",
                             .argument = {},
                             .description = "Print what was charged and refunded, and end"},
                    .tell = [](kit::Database& database,
                               const std::string&) { return payment::Ledger(database).report(); }}},
       .effect_workers =
           [&] { return config.kind == AcquirerKind::Http ? config.workers : std::size_t{0}; }},
      argc,
      argv);
}

}  // namespace
}  // namespace conga

int main(int argc, char** argv) {
  return conga::start(argc, argv);
}
