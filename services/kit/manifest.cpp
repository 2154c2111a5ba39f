// SPDX-License-Identifier: Apache-2.0

#include "services/kit/manifest.h"

#include <algorithm>

namespace conga::kit {
namespace {

std::string list_of(const std::vector<EventType>& types) {
  std::string json;
  for (const EventType& type : types) {
    if (!json.empty()) json += ",\n";
    json += "    {\"detail-type\": \"" + std::string(type.name)
            + "\",\n     \"schema\": " + type.schema + "}";
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
         + ",\n  \"emits\": " + list_of(manifest.emits) + "\n}\n";
}

}  // namespace conga::kit
