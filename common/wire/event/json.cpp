// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/json.h"

#include "common/wire/event/packer.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <system_error>

namespace conga {
namespace {

namespace ondemand = simdjson::ondemand;

/// msgpack writes a container's size before its content, and JSON tells it only at the end: the
/// header is put in its place once the content is there. Most containers have fewer than 16
/// members, whose header is the single byte kept free.
class Container {
public:
  explicit Container(std::string& out) : out_(out), begin_(out.size()) { out_.push_back('\0'); }

  void close_array(std::size_t size) {
    std::string header;
    Packer(header).array(size);
    place(header);
  }

  void close_map(std::size_t size) {
    std::string header;
    Packer(header).map(size);
    place(header);
  }

private:
  void place(const std::string& header) { out_.replace(begin_, 1, header); }

  std::string& out_;
  std::size_t begin_;
};

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

/// JSON's number grammar: RFC 8259 §6.
bool is_json_number(std::string_view token) {
  const auto digits = [&token] {
    const std::size_t count = std::min(token.find_first_not_of("0123456789"), token.size());
    token.remove_prefix(count);
    return count;
  };
  if (token.starts_with('-')) token.remove_prefix(1);
  const bool leading_zero = token.starts_with('0');
  const std::size_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  if (token.starts_with('.')) {
    token.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (token.starts_with('e') || token.starts_with('E')) {
    token.remove_prefix(1);
    if (token.starts_with('+') || token.starts_with('-')) token.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return token.empty();
}

template <class Number>
bool read_whole(std::string_view token, Number& into) {
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), into);
  return error == std::errc() && end == token.data() + token.size();
}

/// Packs the number that `token`, perhaps with space around it, spells; false if it spells none.
/// Not left to simdjson, which refuses integers beyond 64 bits and doubles beyond their range.
bool pack_number(std::string_view token, std::string& out) {
  token = trim(token);
  if (!is_json_number(token)) return false;
  std::int64_t small = 0;
  std::uint64_t large = 0;
  double real = 0;
  if (read_whole(token, small)) {
    Packer(out).integer(small);
  } else if (read_whole(token, large)) {
    Packer(out).unsigned_integer(large);
  } else if (read_whole(token, real)) {
    Packer(out).number(real);
  } else {
    Packer(out).number(std::strtod(std::string(token).c_str(), nullptr));  // overflow, underflow
  }
  return true;
}

/// Walks a document with simdjson's on-demand parser and packs what it meets.
class Reader {
public:
  Reader(std::string& out, const ValueLimits& limits) : out_(out), limits_(limits) {}

  /// simdjson's verdict; too_deep() and too_large() tell our own limits apart from it.
  simdjson::error_code document(ondemand::document& document) {
    bool scalar = false;
    if (const auto error = document.is_scalar().get(scalar)) return error;
    if (scalar) return root_scalar(document);
    ondemand::value value;
    if (const auto error = document.get_value().get(value)) return error;
    return any(value, 0);
  }

  bool too_deep() const { return too_deep_; }

  bool too_large() const { return too_large_; }

private:
  template <class Source>
  simdjson::error_code scalar(Source& source, ondemand::json_type type) {
    switch (type) {
      case ondemand::json_type::null: {
        bool null = false;
        if (const auto error = source.is_null().get(null)) return error;
        if (!null) return simdjson::N_ATOM_ERROR;
        Packer(out_).null();
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::boolean: {
        bool truth = false;
        if (const auto error = source.get_bool().get(truth)) return error;
        Packer(out_).boolean(truth);
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::string: {
        std::string_view text;
        if (const auto error = source.get_string().get(text)) return error;
        Packer(out_).string(text);
        return simdjson::SUCCESS;
      }
      case ondemand::json_type::number:  // pack_number() has read those that are inside a container
      case ondemand::json_type::array:
      case ondemand::json_type::object:
        break;
    }
    return simdjson::NUMBER_ERROR;
  }

  /// Root scalars are read from the document itself, a rule of the on-demand parser.
  simdjson::error_code root_scalar(ondemand::document& document) {
    ondemand::json_type type{};
    if (const auto error = document.type().get(type)) return error;
    return scalar(document, type);
  }

  simdjson::error_code any(ondemand::value& value, std::size_t depth) {
    if (out_.size() > limits_.max_size) {
      too_large_ = true;
      return simdjson::CAPACITY;
    }
    ondemand::json_type type{};
    if (const auto error = value.type().get(type)) return error;
    const bool nested = type == ondemand::json_type::array || type == ondemand::json_type::object;
    if (type == ondemand::json_type::number) {
      return pack_number(value.raw_json_token(), out_) ? simdjson::SUCCESS : simdjson::NUMBER_ERROR;
    }
    if (!nested) return scalar(value, type);
    if (depth == limits_.max_depth) {
      too_deep_ = true;
      return simdjson::DEPTH_ERROR;
    }
    return type == ondemand::json_type::array ? array(value, depth + 1) : object(value, depth + 1);
  }

  simdjson::error_code array(ondemand::value& value, std::size_t depth) {
    Container container(out_);
    ondemand::array elements;
    if (const auto error = value.get_array().get(elements)) return error;
    std::size_t size = 0;
    for (auto element : elements) {
      ondemand::value child;
      if (const auto error = element.get(child)) return error;
      if (const auto error = any(child, depth)) return error;
      ++size;
    }
    container.close_array(size);
    return simdjson::SUCCESS;
  }

  simdjson::error_code object(ondemand::value& value, std::size_t depth) {
    Container container(out_);
    ondemand::object members;
    if (const auto error = value.get_object().get(members)) return error;
    std::size_t size = 0;
    for (auto member : members) {
      ondemand::field field;
      if (const auto error = std::move(member).get(field)) return error;
      std::string_view key;
      if (const auto error = field.unescaped_key().get(key)) return error;
      Packer(out_).key(key);
      if (const auto error = any(field.value(), depth)) return error;
      ++size;
    }
    container.close_map(size);
    return simdjson::SUCCESS;
  }

  std::string& out_;
  const ValueLimits& limits_;
  bool too_deep_ = false;
  bool too_large_ = false;
};

std::string place_of(std::string_view json, const char* at) {
  if (at == nullptr || at < json.data() || at > json.data() + json.size()) at = json.data();
  const std::string_view before = json.substr(0, static_cast<std::size_t>(at - json.data()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0: the first line
  return "line " + std::to_string(line) + ", column "
         + std::to_string(before.size() - line_begin + 1);
}

tl::unexpected<Error> not_json(std::string_view json, const char* at, const std::string& why) {
  return fail(
      Fault::Permanent, "not valid JSON at " + place_of(json, at) + ": " + why, "Malformed");
}

std::string reason(simdjson::error_code error) {
  return simdjson::error_message(error);
}

class JsonWriter {
public:
  JsonWriter(std::string& out, bool pretty) : out_(out), pretty_(pretty) {}

  void write(const Value& value) {
    switch (value.type()) {
      case Value::Type::Null:
        out_ += "null";
        break;
      case Value::Type::Boolean:
        out_ += *value.boolean() ? "true" : "false";
        break;
      case Value::Type::Integer:
        integer(value);
        break;
      case Value::Type::Double:
        number(*value.number());
        break;
      case Value::Type::String:
        text(*value.string());
        break;
      case Value::Type::Array:
        array(value);
        break;
      case Value::Type::Map:
        map(value);
        break;
    }
  }

private:
  void integer(const Value& value) {
    const auto small = value.int64();
    out_ += small ? std::to_string(*small) : std::to_string(*value.uint64());
  }

  void number(double value) {
    if (!std::isfinite(value)) {
      out_ += "null";
      return;
    }
    std::array<char, 32> digits{};
    const auto* const end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    const std::string_view shortest(digits.data(), static_cast<std::size_t>(end - digits.data()));
    out_ += shortest;
    // A double must read back as a double, not as an integer.
    if (shortest.find_first_of(".e") == std::string_view::npos) out_ += ".0";
  }

  void text(std::string_view text) {
    out_ += '"';
    for (const char letter : text) character(letter);
    out_ += '"';
  }

  void character(char letter) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (letter) {
      case '"':
        out_ += "\\\"";
        return;
      case '\\':
        out_ += "\\\\";
        return;
      case '\n':
        out_ += "\\n";
        return;
      case '\r':
        out_ += "\\r";
        return;
      case '\t':
        out_ += "\\t";
        return;
      default:
        break;
    }
    const auto code = static_cast<unsigned char>(letter);
    if (code >= 0x20) {
      out_ += letter;
      return;
    }
    out_ += "\\u00";
    out_ += kHex[code >> 4U];
    out_ += kHex[code & 0x0fU];
  }

  void array(const Value& value) {
    open('[');
    bool first = true;
    for (const Value element : value.elements()) {
      separate(first);
      write(element);
    }
    close(']', first);
  }

  void map(const Value& value) {
    open('{');
    bool first = true;
    for (const auto& [key, member] : value.members()) {
      separate(first);
      text(key);
      out_ += pretty_ ? ": " : ":";
      write(member);
    }
    close('}', first);
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
  }

  void separate(bool& first) {
    if (!first) out_ += ',';
    first = false;
    new_line();
  }

  void close(char bracket, bool empty) {
    --depth_;
    if (!empty) new_line();
    out_ += bracket;
  }

  void new_line() {
    if (!pretty_) return;
    out_ += '\n';
    out_.append(2 * depth_, ' ');
  }

  std::string& out_;
  bool pretty_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<std::string> json_to_msgpack(std::string_view json, const ValueLimits& limits) {
  std::string packed;
  // A number alone is not simdjson's case either: its token does not end where the number does.
  if (pack_number(json, packed)) return packed;
  const simdjson::padded_string padded(json);
  const std::string_view copy(padded.data(), padded.size());
  ondemand::parser parser;
  ondemand::document document;
  if (const auto error = parser.iterate(padded).get(document)) {
    return not_json(json, nullptr, reason(error));
  }
  Reader reader(packed, limits);
  const auto error = reader.document(document);
  if (reader.too_deep()) {
    return fail(Fault::Permanent,
                "nested deeper than " + std::to_string(limits.max_depth) + " levels",
                "TooDeep");
  }
  if (reader.too_large() || (error == simdjson::SUCCESS && packed.size() > limits.max_size)) {
    return fail(Fault::Permanent,
                "larger than the limit of " + std::to_string(limits.max_size) + " bytes",
                "TooLarge");
  }
  const char* at = nullptr;
  // Behind the document's end there is no current location.
  const bool placed = document.current_location().get(at) == simdjson::SUCCESS;
  if (error != simdjson::SUCCESS) return not_json(copy, placed ? at : nullptr, reason(error));
  if (placed) return not_json(copy, at, "text behind the value");
  return packed;
}

std::string to_json(const Value& value) {
  std::string json;
  JsonWriter(json, false).write(value);
  return json;
}

std::string to_pretty_json(const Value& value) {
  std::string json;
  JsonWriter(json, true).write(value);
  return json;
}

}  // namespace conga
