// SPDX-License-Identifier: Apache-2.0
//
// The codec of contract structs. Each struct describes its fields once, by name, and both reading
// and writing follow that description:
//
//     template <class Self, class Visit>
//     static void describe(Self& self, Visit& visit) { visit("flight", self.flight); }
//
// A field may be text, an integer, a truth value, another described struct, or a vector of those.
// All are required but those that are described by `visit.optional(...)`: these are left out when
// they are as a new struct has them. A fault names its path: `detail.trip.passengers[1].name`.

#pragma once

#include "common/core/result.h"
#include "common/wire/event/packer.h"
#include "common/wire/event/value.h"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace conga::contract {

namespace detail {

/// Whether an optional field says nothing.
template <class T>
bool is_unset(const T& field) {
  return field == T{};
}

struct CountFields {
  std::size_t count = 0;

  void operator()(std::string_view /*name*/, const auto& /*field*/) { ++count; }

  void optional(std::string_view /*name*/, const auto& field) {
    if (!is_unset(field)) ++count;
  }
};

template <class T>
concept Described = requires(T& value, CountFields& visit) {
  T::describe(value, visit);
};

inline void write(Packer& packer, const std::string& text) {
  packer.string(text);
}

inline void write(Packer& packer, std::int64_t number) {
  packer.integer(number);
}

template <std::same_as<bool> T>
void write(Packer& packer, const T& truth) {
  packer.boolean(truth);
}

template <class T>
void write(Packer& packer, const std::vector<T>& list);

template <Described T>
void write(Packer& packer, const T& value);

class WriteFields {
public:
  explicit WriteFields(Packer& packer) : packer_(packer) {}

  void operator()(std::string_view name, const auto& field) {
    packer_.key(name);
    write(packer_, field);
  }

  void optional(std::string_view name, const auto& field) {
    if (!is_unset(field)) (*this)(name, field);
  }

private:
  Packer& packer_;
};

template <class T>
void write(Packer& packer, const std::vector<T>& list) {
  packer.array(list.size());
  for (const T& element : list) write(packer, element);
}

template <Described T>
void write(Packer& packer, const T& value) {
  CountFields count;
  T::describe(value, count);
  packer.map(count.count);
  WriteFields fields(packer);
  T::describe(value, fields);
}

/// What is wrong with the first faulty field; nothing if all is well so far.
class Reader {
public:
  const std::string& fault() const { return fault_; }

  void read(const Value& value, const std::string& path, std::string& into) {
    const auto text = value.string();
    if (!text) return expected(path, "text");
    into = *text;
  }

  void read(const Value& value, const std::string& path, std::int64_t& into) {
    const auto number = value.int64();
    if (!number) return expected(path, "an integer of 64 bits");
    into = *number;
  }

  template <std::same_as<bool> T>
  void read(const Value& value, const std::string& path, T& into) {
    if (!value.boolean()) return expected(path, "true or false");
    into = *value.boolean();
  }

  template <class T>
  void read(const Value& value, const std::string& path, std::vector<T>& into) {
    if (!value.is_array()) return expected(path, "a list");
    for (const Value element : value.elements()) {
      T item{};
      read(element, path + "[" + std::to_string(into.size()) + "]", item);
      into.push_back(std::move(item));
    }
  }

  template <Described T>
  void read(const Value& value, const std::string& path, T& into);

  void expected(const std::string& path, std::string_view what) {
    if (fault_.empty()) fault_ = path + ": expected " + std::string(what);
  }

private:
  std::string fault_;
};

class ReadFields {
public:
  ReadFields(Reader& reader, const Value& map, const std::string& path)
      : reader_(reader), map_(map), path_(path) {}

  void operator()(std::string_view name, auto& field) {
    const std::string path = path_ + "." + std::string(name);
    const auto value = map_.find(name);
    if (!value) return reader_.expected(path, "this field, which is missing");
    reader_.read(*value, path, field);
  }

  void optional(std::string_view name, auto& field) {
    if (map_.find(name)) (*this)(name, field);
  }

private:
  Reader& reader_;
  const Value& map_;
  const std::string& path_;
};

template <Described T>
void Reader::read(const Value& value, const std::string& path, T& into) {
  if (!value.is_map()) return expected(path, "a map");
  ReadFields fields(*this, value, path);
  T::describe(into, fields);
}

}  // namespace detail

/// The detail of an event: one msgpack map.
template <class T>
std::string to_detail(const T& fact) {
  std::string bytes;
  Packer packer(bytes);
  detail::write(packer, fact);
  return bytes;
}

/// Permanent with code `InvalidDetail` and the path of the first fault. Fields that T does not
/// know are ignored, so that an emitter may add some.
template <class T>
Result<T> from_detail(const Value& value) {
  detail::Reader reader;
  T fact{};
  reader.read(value, "detail", fact);
  if (reader.fault().empty()) return fact;
  return fail(Fault::Permanent, reader.fault(), "InvalidDetail");
}

}  // namespace conga::contract
