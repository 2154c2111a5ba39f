// SPDX-License-Identifier: Apache-2.0

#include "services/kit/manifest.h"

#include <algorithm>
#include <functional>

namespace conga::kit {
namespace {

/// The members of an emitted event that say what it follows from; empty: nothing is said.
std::string consequence_of(const Manifest& manifest, std::string_view name) {
  const auto found = std::ranges::find(manifest.consequences, name, &Consequence::emits);
  if (found == manifest.consequences.end()) return "";
  std::string after;
  for (const std::string_view type : found->after) {
    after += (after.empty() ? "\"" : ", \"") + std::string(type) + "\"";
  }
  std::string json = ",\n     \"after\": [" + after + "]";
  if (found->once) json += ", \"once\": true";
  if (found->failure) json += ", \"failure\": true";
  if (!found->undone_by.empty()) {
    json += ", \"undone-by\": \"" + std::string(found->undone_by) + "\"";
  }
  return json;
}

std::string list_of(const std::vector<EventType>& types,
                    const std::function<std::string(std::string_view)>& more = {}) {
  std::string json;
  for (const EventType& type : types) {
    if (!json.empty()) json += ",\n";
    json += "    {\"detail-type\": \"" + std::string(type.name) + "\""
            + (more ? more(type.name) : "") + ",\n     \"schema\": " + type.schema + "}";
  }
  return "[\n" + json + "\n  ]";
}

}  // namespace

bool names(const std::vector<EventType>& types, std::string_view name) {
  return std::ranges::find(types, name, &EventType::name) != types.end();
}

std::string to_json(const Manifest& manifest) {
  return "{\n  \"service\": \"" + std::string(manifest.service) + "\",\n  \"source\": \""
         + std::string(manifest.source) + "\",\n  \"consumes\": " + list_of(manifest.consumes)
         + ",\n  \"emits\": "
         + list_of(manifest.emits,
                   [&manifest](std::string_view name) { return consequence_of(manifest, name); })
         + "\n}\n";
}

}  // namespace conga::kit
