// SPDX-License-Identifier: Apache-2.0
//
// service_main: the main() that all services share: flags, configuration, database, sockets, loop.

#pragma once

#include "common/config/config_reader.h"
#include "common/core/result.h"
#include "common/runtime/daemon.h"
#include "services/kit/database.h"
#include "services/kit/handlers.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace conga::kit {

/// Something that a service tells people from its database: a ledger, a map of seats.
struct Report {
  ReportFlag flag;
  /// Text for standard output. Called after `make`, with the tables up to date.
  std::function<Result<std::string>(Database& database, const std::string& argument)> tell;
};

/// What differs between services' mains.
struct ServiceProgram {
  const Manifest& manifest;  ///< The daemon's name and its default configuration come from it.
  std::string description;   ///< One sentence for --help.

  /// Reads the service's own section of the configuration, named after it.
  std::function<void(ConfigReader& section)> configure;

  /// Makes the handlers, and whatever they need; called once, after configure.
  std::function<Result<std::unique_ptr<Handlers>>(Database& database)> make;

  std::vector<Report> reports = {};

  /// How many effects are carried out at once by threads of their own; 0: each in its turn, for
  /// ports that answer at once. Asked after `make`.
  std::function<std::size_t()> effect_workers = {};
};

/// Returns the process' exit code.
int service_main(const ServiceProgram& program, int argc, char** argv);

}  // namespace conga::kit
