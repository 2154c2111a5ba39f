// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/utf8.h"

#include <simdjson.h>

namespace conga {

bool is_utf8_by_character(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace conga
