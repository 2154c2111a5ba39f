// SPDX-License-Identifier: Apache-2.0
//
// conga: the command line of the bus. docs/cli.md.

#include "cli/arguments.h"
#include "cli/run_command.h"
#include "cli/terminal.h"

#include <cstdio>

int main(int argc, char** argv) {
  namespace cli = conga::cli;
  const cli::Parsed parsed = cli::parse_arguments(argc, argv);
  if (!parsed.arguments) {
    std::fputs(parsed.text.c_str(), parsed.code == cli::ExitCode::Done ? stdout : stderr);
    return static_cast<int>(parsed.code);
  }
  cli::TerminalScreen screen;
  conga::Random random = conga::Random::from_system();
  const cli::Look look = cli::look_of_terminal(parsed.arguments->json);
  return static_cast<int>(cli::run_command(*parsed.arguments, random, screen, look));
}
