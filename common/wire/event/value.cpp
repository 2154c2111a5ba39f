// SPDX-License-Identifier: Apache-2.0

#include "common/wire/event/value.h"

#include "common/wire/event/utf8.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

namespace conga {
namespace {

/// The msgpack format bytes: https://github.com/msgpack/msgpack/blob/master/spec.md
namespace format {
constexpr std::uint8_t kFixMap = 0x80;
constexpr std::uint8_t kFixArray = 0x90;
constexpr std::uint8_t kFixString = 0xa0;
constexpr std::uint8_t kNil = 0xc0;
constexpr std::uint8_t kFalse = 0xc2;
constexpr std::uint8_t kTrue = 0xc3;
constexpr std::uint8_t kFloat32 = 0xca;
constexpr std::uint8_t kFloat64 = 0xcb;
constexpr std::uint8_t kUint8 = 0xcc;
constexpr std::uint8_t kUint64 = 0xcf;
constexpr std::uint8_t kInt8 = 0xd0;
constexpr std::uint8_t kInt64 = 0xd3;
constexpr std::uint8_t kString8 = 0xd9;
constexpr std::uint8_t kString32 = 0xdb;
constexpr std::uint8_t kArray16 = 0xdc;
constexpr std::uint8_t kArray32 = 0xdd;
constexpr std::uint8_t kMap16 = 0xde;
constexpr std::uint8_t kMap32 = 0xdf;
constexpr std::uint8_t kNegative = 0xe0;
}  // namespace format

/// The scanner keeps its stack on the stack; a deeper limit is cut to this.
constexpr std::size_t kDeepest = 256;

constexpr char kNull[] = {static_cast<char>(format::kNil)};

std::uint8_t byte_at(const char* at) {
  return static_cast<std::uint8_t>(*at);
}

/// A big-endian unsigned number.
template <class Integer>
std::uint64_t load_as(const char* at) {
  Integer value = 0;
  for (std::size_t read = 0; read < sizeof value; ++read) {
    value = static_cast<Integer>(std::uint64_t{value} << 8U | byte_at(at + read));
  }
  return value;
}

/// A big-endian unsigned number of `size` bytes: 1, 2, 4 or 8.
std::uint64_t load(const char* at, std::size_t size) {
  switch (size) {
    case 1:
      return byte_at(at);
    case 2:
      return load_as<std::uint16_t>(at);
    case 4:
      return load_as<std::uint32_t>(at);
    default:
      return load_as<std::uint64_t>(at);
  }
}

/// What the first byte of an object says about it.
struct Shape {
  enum class Kind : std::uint8_t { Scalar, Text, Array, Map, Forbidden };

  Kind kind = Kind::Forbidden;
  std::uint8_t length_size = 0;  ///< Bytes of a length that follows; Scalar: bytes of the number.
  std::uint8_t length = 0;       ///< The length, if it is in the first byte.
};

/// A run of first bytes that are read alike.
struct Run {
  std::uint8_t first;
  std::uint8_t last;
  Shape::Kind kind;
  std::uint8_t length_size;  ///< Of the run's first byte; it doubles with each further one.
  std::uint8_t length_mask;  ///< The bits of the first byte that are the length.
};

constexpr std::array<Run, 14> kRuns{{
    {0x00, format::kFixMap - 1, Shape::Kind::Scalar, 0, 0},
    {format::kFixMap, format::kFixArray - 1, Shape::Kind::Map, 0, 0x0f},
    {format::kFixArray, format::kFixString - 1, Shape::Kind::Array, 0, 0x0f},
    {format::kFixString, format::kNil - 1, Shape::Kind::Text, 0, 0x1f},
    {format::kNil, format::kNil, Shape::Kind::Scalar, 0, 0},
    {format::kFalse, format::kTrue, Shape::Kind::Scalar, 0, 0},
    {format::kFloat32, format::kFloat32, Shape::Kind::Scalar, 4, 0},
    {format::kFloat64, format::kFloat64, Shape::Kind::Scalar, 8, 0},
    {format::kUint8, format::kUint64, Shape::Kind::Scalar, 1, 0},
    {format::kInt8, format::kInt64, Shape::Kind::Scalar, 1, 0},
    {format::kString8, format::kString32, Shape::Kind::Text, 1, 0},
    {format::kArray16, format::kArray32, Shape::Kind::Array, 2, 0},
    {format::kMap16, format::kMap32, Shape::Kind::Map, 2, 0},
    {format::kNegative, 0xff, Shape::Kind::Scalar, 0, 0},
}};

constexpr std::uint8_t length_size_of(const Run& run, unsigned first) {
  if (run.length_size == 0) return 0;
  return static_cast<std::uint8_t>(run.length_size << (first - run.first));
}

constexpr std::array<Shape, 256> make_shapes() {
  std::array<Shape, 256> shapes{};
  for (const Run& run : kRuns) {
    for (unsigned first = run.first; first <= run.last; ++first) {
      const auto length = static_cast<std::uint8_t>(first & run.length_mask);
      shapes[first] = {run.kind, length_size_of(run, first), length};
    }
  }
  return shapes;
}

constexpr std::array<Shape, 256> kShapes = make_shapes();

/// A text, array or map: where its content begins, and its length or number of children.
struct Content {
  const char* at;
  std::size_t length;
};

Content content_of(const char* at, const Shape& shape) {
  const char* const content = at + 1 + shape.length_size;
  if (shape.length_size == 0) return {content, shape.length};
  return {content, load(at + 1, shape.length_size)};
}

/// The byte behind the object at `at`, which has been checked before.
const char* skip(const char* at) {
  for (std::size_t left = 1; left > 0; --left) {
    const Shape& shape = kShapes[byte_at(at)];
    if (shape.kind == Shape::Kind::Scalar) {
      at += 1 + shape.length_size;
      continue;
    }
    const Content content = content_of(at, shape);
    at = content.at;
    if (shape.kind == Shape::Kind::Text) at += content.length;
    if (shape.kind == Shape::Kind::Array) left += content.length;
    if (shape.kind == Shape::Kind::Map) left += 2 * content.length;
  }
  return at;
}

/// Checks one object from outside, byte by byte, without recursion.
class Scanner {
public:
  // The levels are written before they are read, and clearing 4 KiB an event would show.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
  Scanner(std::string_view bytes, const ValueLimits& limits)
      : begin_(bytes.data()),
        at_(bytes.data()),
        end_(bytes.data() + bytes.size()),
        max_size_(limits.max_size),
        max_depth_(std::min(limits.max_depth, kDeepest)) {}

  /// The size of the object, or why it is refused.
  Result<std::size_t> run() {
    // A plain word an object on the way: a Result for each costs more than the checks.
    Problem problem = Problem::None;
    do {
      problem = one_object();
      if (problem == Problem::None && size() > max_size_) problem = Problem::TooLarge;
    } while (problem == Problem::None && more());
    if (problem == Problem::None) return size();
    // Not told more than this, or what is counted above could not stay in registers.
    return refused(problem,
                   {.at = size(),
                    .first_byte = rest() > 0 ? byte_at(at_) : std::uint8_t{0},
                    .limits = {.max_size = max_size_, .max_depth = max_depth_}});
  }

private:
  enum class Problem : std::uint8_t {
    None,
    CutObject,
    CutText,
    CutArray,
    CutMap,
    KeyIsNoText,
    NotUtf8,
    ForbiddenType,
    TooDeep,
    TooLarge,
  };

  struct Level {
    std::size_t left;  ///< Children still to come; a map's keys and values are counted alike.
    bool map;
  };

  struct Place {
    std::size_t at;
    std::uint8_t first_byte;
    ValueLimits limits;
  };

  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

  std::size_t rest() const { return static_cast<std::size_t>(end_ - at_); }

  Problem one_object() {
    if (at_ == end_) return Problem::CutObject;
    const Shape& shape = kShapes[byte_at(at_)];
    if (key_expected() && shape.kind != Shape::Kind::Text) return Problem::KeyIsNoText;
    --level_.left;
    if (shape.kind == Shape::Kind::Forbidden) return Problem::ForbiddenType;
    if (rest() < 1U + shape.length_size) return Problem::CutObject;
    if (shape.kind == Shape::Kind::Scalar) {
      at_ += 1 + shape.length_size;
      return Problem::None;
    }
    const Content content = content_of(at_, shape);
    return shape.kind == Shape::Kind::Text ? text(content) : open(shape, content);
  }

  bool key_expected() const { return level_.map && level_.left % 2 == 0; }

  Problem text(const Content& content) {
    if (static_cast<std::size_t>(end_ - content.at) < content.length) return Problem::CutText;
    if (!is_utf8({content.at, content.length})) return Problem::NotUtf8;
    at_ = content.at + content.length;
    return Problem::None;
  }

  Problem open(const Shape& shape, const Content& content) {
    // Each child takes a byte at least: a length beyond that is a lie, told before it costs work.
    const bool map = shape.kind == Shape::Kind::Map;
    const std::size_t children = map ? 2 * content.length : content.length;
    if (static_cast<std::size_t>(end_ - content.at) < children) {
      return map ? Problem::CutMap : Problem::CutArray;
    }
    if (depth_ == max_depth_) return Problem::TooDeep;
    at_ = content.at;
    outer_[depth_++] = level_;
    level_ = {children, map};
    return Problem::None;
  }

  /// Closes what has no more children.
  bool more() {
    while (level_.left == 0 && depth_ > 0) level_ = outer_[--depth_];
    return level_.left > 0;
  }

  static tl::unexpected<Error> refused(Problem problem, const Place& place) {
    switch (problem) {
      case Problem::None:
      case Problem::CutObject:
        return malformed(place, "the object is cut short");
      case Problem::CutText:
        return malformed(place, "the text is cut short");
      case Problem::CutArray:
        return malformed(place, "the array is cut short");
      case Problem::CutMap:
        return malformed(place, "the map is cut short");
      case Problem::KeyIsNoText:
        return malformed(place, "a map key is no text");
      case Problem::NotUtf8:
        return malformed(place, "text is not UTF-8");
      case Problem::ForbiddenType:
        return malformed(place,
                         "binary, extension and reserved types have no JSON form (first byte "
                             + std::to_string(place.first_byte) + ")");
      case Problem::TooDeep:
        return fail(Fault::Permanent,
                    "nested deeper than " + std::to_string(place.limits.max_depth)
                        + " levels at byte " + std::to_string(place.at),
                    "TooDeep");
      case Problem::TooLarge:
        break;
    }
    return fail(Fault::Permanent,
                "larger than the limit of " + std::to_string(place.limits.max_size) + " bytes",
                "TooLarge");
  }

  static tl::unexpected<Error> malformed(const Place& place, const std::string& why) {
    return fail(Fault::Permanent,
                "not valid msgpack at byte " + std::to_string(place.at) + ": " + why,
                "Malformed");
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  std::size_t max_size_;
  std::size_t max_depth_;
  Level level_{.left = 1, .map = false};  ///< The one that is open; at first the object itself.
  std::size_t depth_ = 0;
  std::array<Level, kDeepest> outer_;  ///< Around it.
};

/// The signed value of the 1, 2, 4 or 8 low bytes of `bits`.
std::int64_t sign_extend(std::uint64_t bits, std::size_t size) {
  const std::size_t shift = 64 - 8 * size;
  return static_cast<std::int64_t>(bits << shift) >> shift;
}

}  // namespace

Value::Value() : at_(kNull) {}

Result<Value> Value::parse(std::string_view bytes, const ValueLimits& limits) {
  std::string_view rest = bytes;
  auto value = take(rest, limits);
  if (value && !rest.empty()) {
    return fail(Fault::Permanent,
                std::to_string(rest.size()) + " bytes are left over behind the object",
                "Malformed");
  }
  return value;
}

Result<Value> Value::take(std::string_view& bytes, const ValueLimits& limits) {
  const auto size = Scanner(bytes, limits).run();
  if (!size) return size.failure();
  const Value value(bytes.data());
  bytes.remove_prefix(*size);
  return value;
}

Value::Type Value::type() const {
  const std::uint8_t first = byte_at(at_);
  switch (kShapes[first].kind) {
    case Shape::Kind::Text:
      return Type::String;
    case Shape::Kind::Array:
      return Type::Array;
    case Shape::Kind::Map:
      return Type::Map;
    case Shape::Kind::Scalar:
    case Shape::Kind::Forbidden:
      break;
  }
  if (first == format::kNil) return Type::Null;
  if (first == format::kFalse || first == format::kTrue) return Type::Boolean;
  if (first == format::kFloat32 || first == format::kFloat64) return Type::Double;
  return Type::Integer;
}

std::optional<bool> Value::boolean() const {
  if (type() != Type::Boolean) return std::nullopt;
  return byte_at(at_) == format::kTrue;
}

std::optional<std::int64_t> Value::int64() const {
  if (type() != Type::Integer) return std::nullopt;
  const std::uint8_t first = byte_at(at_);
  if (first < format::kFixMap) return first;
  if (first >= format::kNegative) return sign_extend(first, 1);
  const std::size_t size = kShapes[first].length_size;
  const std::uint64_t bits = load(at_ + 1, size);
  if (first >= format::kInt8) return sign_extend(bits, size);
  if (bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(bits);
}

std::optional<std::uint64_t> Value::uint64() const {
  if (type() != Type::Integer) return std::nullopt;
  if (byte_at(at_) == format::kUint64) return load(at_ + 1, 8);
  const auto value = int64();
  if (!value || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

std::optional<double> Value::number() const {
  const std::uint8_t first = byte_at(at_);
  if (first == format::kFloat64) return std::bit_cast<double>(load(at_ + 1, 8));
  if (first == format::kFloat32) {
    return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(load(at_ + 1, 4))));
  }
  if (const auto value = int64()) return static_cast<double>(*value);
  if (const auto value = uint64()) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<std::string_view> Value::string() const {
  const Shape& shape = kShapes[byte_at(at_)];
  if (shape.kind != Shape::Kind::Text) return std::nullopt;
  const Content content = content_of(at_, shape);
  return std::string_view(content.at, content.length);
}

std::size_t Value::size() const {
  const Shape& shape = kShapes[byte_at(at_)];
  if (shape.kind != Shape::Kind::Array && shape.kind != Shape::Kind::Map) return 0;
  return content_of(at_, shape).length;
}

Value::Elements Value::elements() const {
  const Shape& shape = kShapes[byte_at(at_)];
  if (shape.kind != Shape::Kind::Array) return {nullptr, 0};
  const Content content = content_of(at_, shape);
  return {content.at, content.length};
}

Value::Members Value::members() const {
  const Shape& shape = kShapes[byte_at(at_)];
  if (shape.kind != Shape::Kind::Map) return {nullptr, 0};
  const Content content = content_of(at_, shape);
  return {content.at, content.length};
}

std::optional<Value> Value::find(std::string_view key) const {
  for (const auto& [name, value] : members()) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::optional<Value> Value::at(std::initializer_list<std::string_view> keys) const {
  std::optional<Value> value = *this;
  for (const std::string_view key : keys) {
    value = value->find(key);
    if (!value) return std::nullopt;
  }
  return value;
}

const char* Value::content() const {
  const Shape& shape = kShapes[byte_at(at_)];
  return shape.kind == Shape::Kind::Array ? content_of(at_, shape).at : nullptr;
}

std::string_view Value::bytes() const {
  return {at_, static_cast<std::size_t>(skip(at_) - at_)};
}

Value::Elements::iterator& Value::Elements::iterator::operator++() {
  if (--left_ > 0) at_ = skip(at_);
  return *this;
}

Value::Members::iterator::value_type Value::Members::iterator::operator*() const {
  const Content key = content_of(at_, kShapes[byte_at(at_)]);
  return {std::string_view(key.at, key.length), Value(key.at + key.length)};
}

Value::Members::iterator& Value::Members::iterator::operator++() {
  if (--left_ > 0) at_ = skip(skip(at_));
  return *this;
}

}  // namespace conga
