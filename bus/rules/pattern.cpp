// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/pattern.h"

#include "bus/rules/condition_parser.h"
#include "common/wire/event/json.h"

#include <algorithm>
#include <map>

namespace conga::bus {
namespace {

using Kind = Document::Kind;

/// Reads the objects of a pattern in the order of the document, keeping one set of fields per
/// alternative: a `$or` multiplies them, a path that comes again replaces what it had.
class PatternParser {
public:
  PatternParser(std::vector<PatternFault>& faults, const PatternLimits& limits)
      : faults_(faults), limits_(limits), conditions_(faults) {}

  void root(const Document& document) {
    if (document.kind != Kind::Map) {
      fault(document, "", "expected an object, found " + document.describe());
      return;
    }
    object(document, "", 1);
  }

  std::vector<Pattern::Field> take_fields() { return std::move(fields_); }

  std::vector<Pattern::Alternative> alternatives() const {
    std::vector<Pattern::Alternative> sorted;
    for (const Fields& fields : alternatives_) {
      Pattern::Alternative& one = sorted.emplace_back();
      for (const auto& [path, field] : fields) one.push_back(field);
    }
    return sorted;
  }

private:
  struct Utf16Less {
    bool operator()(const std::string& one, const std::string& other) const {
      return utf16_less(one, other);
    }
  };

  /// Dotted path to position in fields_, in the order of the language.
  using Fields = std::map<std::string, std::uint32_t, Utf16Less>;

  void object(const Document& map, const std::string& path, std::size_t depth) {
    if (map.members.empty()) return fault(map, path, "an empty object matches nothing");
    if (depth > limits_.max_depth) {
      return fault(
          map, path, "nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    for (const Document::Member& member : map.members) {
      const std::string inner = depth == 1 ? member.key : path + "." + member.key;
      this->member(member, path, inner, depth);
    }
  }

  void member(const Document::Member& member,
              const std::string& outer,
              const std::string& path,
              std::size_t depth) {
    const Document& value = member.value;
    if (member.key == "$or" && is_relation(value)) return either(value, outer, path, depth);
    if (value.kind == Kind::Map) return object(value, path, depth + 1);
    if (value.kind == Kind::Array) return field(value, path);
    fault(value, path, "expected an object or a list of conditions, found " + value.describe());
  }

  static bool is_relation(const Document& value) {
    if (value.kind != Kind::Array || value.elements.size() < 2) return false;
    return std::ranges::all_of(value.elements, [](const Document& branch) {
      return branch.kind == Kind::Map && !branch.members.empty()
             && std::ranges::none_of(branch.members, [](const Document::Member& member) {
                  return ConditionParser::is_operator(member.key);
                });
    });
  }

  void either(const Document& relation,
              const std::string& outer,
              const std::string& path,
              std::size_t depth) {
    const std::vector<Fields> before = alternatives_;
    std::vector<Fields> after;
    for (const Document& branch : relation.elements) {
      alternatives_ = before;
      // The fields of a branch stand beside the `$or`. The top level has no path to go before.
      branch_object(branch, outer, depth);
      after.insert(after.end(), alternatives_.begin(), alternatives_.end());
      if (after.size() <= limits_.max_alternatives) continue;
      fault(relation,
            path,
            "the branches of all $or multiply to more than "
                + std::to_string(limits_.max_alternatives) + " alternatives");
      after.resize(1);
      break;
    }
    alternatives_ = std::move(after);
  }

  void branch_object(const Document& branch, const std::string& outer, std::size_t depth) {
    // A nested $or leads here without a level of its own in the path, but not without end.
    if (++branches_ > limits_.max_depth) {
      fault(branch, outer, "more than " + std::to_string(limits_.max_depth) + " nested $or");
    } else {
      object(branch, outer, depth);
    }
    --branches_;
  }

  void field(const Document& list, const std::string& path) {
    if (list.elements.empty()) return fault(list, path, "an empty list matches nothing");
    const auto position = static_cast<std::uint32_t>(fields_.size());
    fields_.push_back({path, conditions_.list(list, path)});
    for (Fields& fields : alternatives_) fields.insert_or_assign(path, position);
  }

  void fault(const Document& where, const std::string& path, std::string why) {
    faults_.push_back({path, where.line, where.column, std::move(why)});
  }

  std::vector<PatternFault>& faults_;
  const PatternLimits& limits_;
  ConditionParser conditions_;
  std::vector<Pattern::Field> fields_;
  std::vector<Fields> alternatives_{1};
  std::size_t branches_ = 0;
};

}  // namespace

std::string PatternFault::text() const {
  return path.empty() ? why : path + ": " + why;
}

std::optional<Pattern> Pattern::parse(const Document& document,
                                      std::vector<PatternFault>& faults,
                                      const PatternLimits& limits) {
  const std::size_t before = faults.size();
  PatternParser parser(faults, limits);
  parser.root(document);
  if (faults.size() > before) return std::nullopt;
  return Pattern(parser.take_fields(), parser.alternatives());
}

Result<Pattern> Pattern::parse_json(std::string_view json, const PatternLimits& limits) {
  const auto packed = json_to_msgpack(json, kJsonLimits);
  if (!packed) return fail(Fault::Permanent, packed.error().what, "InvalidPattern");
  std::vector<PatternFault> faults;
  auto pattern = parse(to_document(Value::trusted(*packed)), faults, limits);
  if (pattern) return std::move(*pattern);
  std::string what;
  for (const PatternFault& fault : faults) {
    if (!what.empty()) what += '\n';
    what += fault.text();
  }
  return fail(Fault::Permanent, std::move(what), "InvalidPattern");
}

Document to_document(const Value& value) {
  Document document;
  document.line = 0;
  document.column = 0;
  switch (value.type()) {
    case Value::Type::Null:
      document.text = "null";
      break;
    case Value::Type::Boolean:
      document.kind = Kind::Boolean;
      document.boolean = *value.boolean();
      document.text = document.boolean ? "true" : "false";
      break;
    case Value::Type::Integer:
      document.text = Number::of(value)->text();
      if (const auto small = value.int64()) {
        document.kind = Kind::Integer;
        document.integer = *small;
      } else {
        document.kind = Kind::Unsigned;
        document.unsigned_integer = *value.uint64();
      }
      break;
    case Value::Type::Double:
      document.kind = Kind::Double;
      document.number = *value.number();
      document.text = Number(document.number).text();
      break;
    case Value::Type::String:
      document.kind = Kind::String;
      document.text = *value.string();
      break;
    case Value::Type::Array:
      document.kind = Kind::Array;
      for (const Value element : value.elements()) {
        document.elements.push_back(to_document(element));
      }
      break;
    case Value::Type::Map:
      document.kind = Kind::Map;
      for (const auto& [key, member] : value.members()) {
        document.members.push_back({std::string(key), 0, 0, to_document(member)});
      }
      break;
  }
  return document;
}

bool utf16_less(std::string_view one, std::string_view other) {
  const auto [left, right] = std::ranges::mismatch(one, other);
  if (left == one.end() || right == other.end()) return left == one.end() && right != other.end();
  // Characters beyond U+FFFF (first byte F0 and up) are surrogates, below U+E000 (EE and up).
  const auto rank = [](char first) {
    const auto byte = static_cast<unsigned char>(first);
    return byte >= 0xF0 ? 0xED + 1 : byte >= 0xEE ? byte + 0x100 : byte;
  };
  const int left_rank = rank(*left);
  const int right_rank = rank(*right);
  return left_rank != right_rank
             ? left_rank < right_rank
             : static_cast<unsigned char>(*left) < static_cast<unsigned char>(*right);
}

}  // namespace conga::bus
