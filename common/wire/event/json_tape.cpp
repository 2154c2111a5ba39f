// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/json_tape.h"

#include <simdjson.h>

#include <algorithm>
#include <string>

namespace conga {

struct JsonTape::Parser {
  simdjson::dom::parser dom;
  std::string padded;  ///< The parser reads beyond the end.
};

JsonTape::JsonTape() : parser_(std::make_unique<Parser>()) {}

JsonTape::JsonTape(JsonTape&&) noexcept = default;
JsonTape& JsonTape::operator=(JsonTape&&) noexcept = default;
JsonTape::~JsonTape() = default;

bool JsonTape::read(std::string_view json, const ValueLimits& limits) {
  // What packs to more bytes than a text has is a number such as 1.5, by less than three times.
  if (json.size() > limits.max_size / 3) return false;
  simdjson::dom::parser& dom = parser_->dom;
  if (dom.capacity() < json.size() || dom.max_depth() != limits.max_depth) {
    const std::size_t capacity = std::max<std::size_t>(4096, 2 * json.size());
    if (dom.allocate(capacity, limits.max_depth) != simdjson::SUCCESS) return false;
  }
  std::string& padded = parser_->padded;
  if (padded.size() < json.size() + simdjson::SIMDJSON_PADDING) {
    padded.resize(2 * json.size() + simdjson::SIMDJSON_PADDING);
  }
  std::memcpy(padded.data(), json.data(), json.size());
  return dom.parse(padded.data(), json.size(), false).error() == simdjson::SUCCESS;
}

JsonCursor JsonTape::root() const {
  const simdjson::dom::document& document = parser_->dom.doc;
  return {document.tape.get(), reinterpret_cast<const char*>(document.string_buf.get())};
}

}  // namespace conga
