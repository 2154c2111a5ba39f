// SPDX-License-Identifier: Apache-2.0
//
// ExitCode: what `conga` tells the shell. Scripts depend on these numbers: docs/cli.md.

#pragma once

namespace conga::cli {

enum class ExitCode : int {
  Done = 0,           ///< All that was asked for was done.
  Refused = 1,        ///< The bus, or a check, said no to at least a part of it.
  Usage = 2,          ///< The command line or a file named on it makes no sense.
  NoBus = 3,          ///< Nobody answered.
  Interrupted = 130,  ///< Stopped by a signal before its end, and can be gone on with.
};

}  // namespace conga::cli
