// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/choreography.h"

#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

namespace conga::bus {
namespace {

tl::unexpected<Error> invalid(const std::string& why) {
  return fail(Fault::Permanent, why, "InvalidManifest");
}

Result<std::string> text_at(const Value& map, std::string_view key) {
  const auto value = map.find(key);
  const auto text = value ? value->string() : std::nullopt;
  if (!text) return invalid(std::string(key) + ": expected text");
  return std::string(*text);
}

Result<std::vector<std::string>> types_at(const Value& map, std::string_view key) {
  const auto list = map.find(key);
  if (!list || !list->is_array()) return invalid(std::string(key) + ": expected a list");
  std::vector<std::string> types;
  for (const Value element : list->elements()) {
    auto type = element.is_map() ? text_at(element, "detail-type")
                                 : Result<std::string>(invalid("expected a map with detail-type"));
    if (!type) return invalid(std::string(key) + ": " + type.error().what);
    types.push_back(std::move(*type));
  }
  return types;
}

/// Where each of `types` stands behind the key `section`: the reader of JSON keeps no positions.
std::vector<std::size_t> lines_of(std::string_view json,
                                  std::string_view section,
                                  const std::vector<std::string>& types) {
  const std::size_t start = std::min(json.find('"' + std::string(section) + '"'), json.size());
  std::vector<std::size_t> lines;
  for (const std::string& type : types) {
    const std::size_t at = std::min(json.find('"' + type + '"', start), json.size());
    const auto newlines = std::ranges::count(json.substr(0, at), '\n');
    lines.push_back(static_cast<std::size_t>(newlines) + 1);
  }
  return lines;
}

/// One msgpack text as a Value, with the bytes that it views.
class TextValue {
public:
  explicit TextValue(std::string_view text) { Packer(bytes_).string(text); }

  Value get() const { return Value::trusted(bytes_); }

private:
  std::string bytes_;
};

bool admits(const Pattern::Field& field, std::string_view text) {
  const TextValue value(text);
  return std::ranges::any_of(field.any_of, [&value](const Condition& condition) {
    return condition.satisfied_by(value.get());
  });
}

/// Whether the pattern admits the detail-type, and a source that satisfies `source_fits`.
template <class Fits>
bool some_alternative(const Pattern& pattern, std::string_view detail_type, Fits source_fits) {
  const auto admitted = [&](std::uint32_t position) {
    const Pattern::Field& field = pattern.fields()[position];
    if (field.path == "source") return source_fits(field);
    return field.path != "detail-type" || admits(field, detail_type);
  };
  return std::ranges::any_of(pattern.alternatives(), [&](const Pattern::Alternative& one) {
    return std::ranges::all_of(one, admitted);
  });
}

/// Whether the field asks for one of `texts`, word for word, and for nothing else.
bool names_only(const Pattern::Field& field, const std::vector<std::string>& texts) {
  return std::ranges::all_of(field.any_of, [&texts](const Condition& condition) {
    const auto* const exact = std::get_if<ExactText>(&condition.kind);
    return exact != nullptr && std::ranges::find(texts, exact->text) != texts.end();
  });
}

struct End {
  std::string to;
  std::string target;
};

std::vector<End> ends_of(const RuleSet& rules, const RuleSet::Rule& rule) {
  std::vector<End> ends;
  for (const std::uint32_t position : rule.targets) {
    const LinkTarget& target = rules.targets()[position];
    ends.push_back({.to = target.service, .target = target.target});
  }
  for (const std::uint32_t topic : rule.topics) {
    const std::string name = "topic: " + rules.topics()[topic];
    ends.push_back({.to = name, .target = name});
  }
  return ends;
}

/// A rule with its pattern ready.
struct Route {
  const RuleSet::Rule& rule;
  Pattern pattern;
  std::vector<End> ends;
};

std::vector<Route> routes_of(const RuleSet& rules) {
  std::vector<Route> routes;
  for (const RuleSet::Rule& rule : rules.rules()) {
    if (!rule.enabled) continue;
    std::vector<PatternFault> none;
    auto pattern = Pattern::parse(to_document(Value::trusted(rule.pattern)), none);
    if (!pattern) continue;  // a RuleSet holds no rule whose pattern is faulty
    routes.push_back({.rule = rule, .pattern = std::move(*pattern), .ends = ends_of(rules, rule)});
  }
  return routes;
}

/// `matches`: whether a pattern may match the event.
template <class Matches>
void draw(const std::vector<Route>& routes,
          std::string_view from,
          const std::string& detail_type,
          std::vector<Arrow>& arrows,
          Matches matches) {
  for (const Route& route : routes) {
    if (!matches(route.pattern)) continue;
    for (const End& end : route.ends) {
      arrows.push_back({.from = std::string(from),
                        .detail_type = detail_type,
                        .rule = route.rule.name,
                        .to = end.to,
                        .target = end.target});
    }
  }
}

/// Consumed, and emitted by none of them; each once.
std::vector<std::string> types_from_outside(const std::vector<Declaration>& declarations) {
  std::vector<std::string> types;
  const auto holds = [](const std::vector<std::string>& list, const std::string& type) {
    return std::ranges::find(list, type) != list.end();
  };
  for (const Declaration& consumer : declarations) {
    for (const std::string& type : consumer.consumes) {
      const bool emitted = std::ranges::any_of(
          declarations, [&](const Declaration& each) { return holds(each.emits, type); });
      if (!emitted && !holds(types, type)) types.push_back(type);
    }
  }
  return types;
}

/// What a manifest may leave out, and older ones do.
std::vector<Emission> emissions_at(const Value& manifest) {
  std::vector<Emission> emissions;
  const Value emits = manifest.find("emits").value_or(Value());
  for (const Value each : emits.elements()) {
    Emission& emission = emissions.emplace_back();
    const auto flag = [&each](std::string_view key) {
      const auto value = each.find(key);
      return value && value->boolean().value_or(false);
    };
    emission.once = flag("once");
    emission.failure = flag("failure");
    if (const auto undone_by = each.find("undone-by")) {
      emission.undone_by = undone_by->string().value_or("");
    }
    const auto after = each.find("after");
    if (!after || !after->is_array()) continue;
    emission.after.emplace();
    for (const Value type : after->elements()) {
      emission.after->emplace_back(type.string().value_or(""));
    }
  }
  return emissions;
}

}  // namespace

Result<Declaration> read_declaration(std::string_view json) {
  const auto bytes = json_to_msgpack(json);
  if (!bytes) return invalid(bytes.error().what);
  const Value manifest = Value::trusted(*bytes);
  if (!manifest.is_map()) return invalid("expected a map");
  auto service = text_at(manifest, "service");
  auto source = text_at(manifest, "source");
  auto consumes = types_at(manifest, "consumes");
  auto emits = types_at(manifest, "emits");
  if (!service) return service.failure();
  if (!source) return source.failure();
  if (!consumes) return consumes.failure();
  if (!emits) return emits.failure();
  return Declaration{.service = std::move(*service),
                     .source = std::move(*source),
                     .consumes = *consumes,
                     .emits = *emits,
                     .file = {},
                     .consumes_lines = lines_of(json, "consumes", *consumes),
                     .emits_lines = lines_of(json, "emits", *emits),
                     .emissions = emissions_at(manifest)};
}

bool may_match(const Pattern& pattern, std::string_view source, std::string_view detail_type) {
  return some_alternative(pattern, detail_type, [source](const Pattern::Field& field) {
    return admits(field, source);
  });
}

bool may_match_from_elsewhere(const Pattern& pattern,
                              const std::vector<std::string>& sources,
                              std::string_view detail_type) {
  return some_alternative(pattern, detail_type, [&sources](const Pattern::Field& field) {
    return !names_only(field, sources);
  });
}

std::vector<Arrow> arrows_of(const RuleSet& rules, const std::vector<Declaration>& declarations) {
  const std::vector<Route> routes = routes_of(rules);
  std::vector<std::string> sources;
  for (const Declaration& each : declarations) sources.push_back(each.source);
  std::vector<Arrow> arrows;
  for (const std::string& type : types_from_outside(declarations)) {
    draw(routes, kOutside, type, arrows, [&](const Pattern& pattern) {
      return may_match_from_elsewhere(pattern, sources, type);
    });
  }
  for (const Declaration& emitter : declarations) {
    for (const std::string& type : emitter.emits) {
      draw(routes, emitter.service, type, arrows, [&](const Pattern& pattern) {
        return may_match(pattern, emitter.source, type);
      });
    }
  }
  return arrows;
}

}  // namespace conga::bus
