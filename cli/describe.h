// SPDX-License-Identifier: Apache-2.0
//
// describe: any answer of the bus for people, whatever fields its version has: scalars as a list,
// lists of maps as tables. So a newer bus shows its new figures through an older `conga`.

#pragma once

#include "cli/screen.h"
#include "common/wire/event/value.h"

#include <string>

namespace conga::cli {

/// The map's members, one a line, maps as `name value, name value`; then its lists of maps, each a
/// table under its name.
std::string describe(const Value& map, const Look& look);

/// A list of maps as a table: a column for each member of any of them, in order of appearance.
/// What is no scalar is shown as JSON.
std::string describe_list(const Value& list, const Look& look);

}  // namespace conga::cli
