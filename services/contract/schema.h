// SPDX-License-Identifier: Apache-2.0
//
// schema_of: the JSON Schema (2020-12) of a contract struct, from the description that reading and
// writing follow too, so that it cannot lie.

#pragma once

#include "services/contract/describe.h"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace conga::contract {

namespace detail {

// Names of fields are plain identifiers of this source: nothing in them needs escaping.

inline std::string schema(const std::string& /*type*/) {
  return R"({"type": "string"})";
}

inline std::string schema(const std::int64_t& /*type*/) {
  return R"({"type": "integer"})";
}

template <std::same_as<bool> T>
std::string schema(const T& /*type*/) {
  return R"({"type": "boolean"})";
}

template <class T>
std::string schema(const std::vector<T>& /*type*/);

template <Described T>
std::string schema(const T& type);

class SchemaFields {
public:
  void operator()(std::string_view name, const auto& field) {
    optional(name, field);
    append(required_, '"' + std::string(name) + '"');
  }

  void optional(std::string_view name, const auto& field) {
    append(properties_, '"' + std::string(name) + "\": " + schema(field));
  }

  std::string text() const {
    return R"({"type": "object", "required": [)" + required_ + R"(], "properties": {)" + properties_
           + "}}";
  }

private:
  static void append(std::string& list, const std::string& item) {
    if (!list.empty()) list += ", ";
    list += item;
  }

  std::string required_;
  std::string properties_;
};

template <class T>
std::string schema(const std::vector<T>& /*type*/) {
  return R"({"type": "array", "items": )" + schema(T{}) + "}";
}

template <Described T>
std::string schema(const T& type) {
  SchemaFields fields;
  T::describe(type, fields);
  return fields.text();
}

}  // namespace detail

template <class T>
std::string schema_of() {
  return detail::schema(T{});
}

}  // namespace conga::contract
