// SPDX-License-Identifier: Apache-2.0
//
// Deed: what the relay did to one delivery, as it tells it and as the comparison reads it again:
// `conga chaos relay --json` prints one a line.

#pragma once

#include "cli/chaos/mischief.h"
#include "common/core/ids.h"
#include "common/core/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace conga::cli {

struct Deed {
  Uuid event;
  std::string source;
  std::string detail_type;
  std::string correlation_id;
  std::string service;
  std::uint32_t attempt = 0;
  Plan plan;

  friend bool operator==(const Deed&, const Deed&) = default;
};

/// One line for people, without its end: `PaymentConfirmed of BK-1 to notification: sent twice`.
std::string text_of(const Deed& deed);

/// One JSON object, without the line's end; read_deed() reads it back, to the microsecond.
std::string json_of(const Deed& deed);

/// Permanent, with the field's name, if the line is none.
Result<Deed> read_deed(std::string_view json);

}  // namespace conga::cli
