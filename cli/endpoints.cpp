// SPDX-License-Identifier: Apache-2.0

#include "cli/endpoints.h"

#include "common/config/config_reader.h"
#include "common/config/document.h"

#include <array>
#include <utility>

namespace conga::cli {
namespace {

Result<> read_endpoint(const Document& root,
                       const std::string& file,
                       std::string_view key,
                       std::string& into) {
  const Document* value = root.find(key);
  if (value == nullptr) return {};
  if (value->kind != Document::Kind::String) {
    return fail(Fault::Permanent,
                file + ":" + std::to_string(value->line) + ":" + std::to_string(value->column)
                    + ": " + std::string(key)
                    + " must be an endpoint such as tcp://127.0.0.1:7461, not "
                    + value->describe());
  }
  into = connectable(value->text);
  return {};
}

}  // namespace

Result<Endpoints> read_endpoints(std::string_view yaml, const std::string& file) {
  const auto root = parse_yaml(yaml, file);
  if (!root) return root.failure();
  Endpoints endpoints;
  if (const auto read = read_endpoint(*root, file, "publish", endpoints.publish); !read) {
    return read.failure();
  }
  if (const auto read = read_endpoint(*root, file, "subscribe", endpoints.subscribe); !read) {
    return read.failure();
  }
  return endpoints;
}

Result<Endpoints> find_endpoints(const Arguments& arguments) {
  Endpoints endpoints;
  if (!arguments.config.empty()) {
    const auto text = read_text_file(arguments.config);
    if (!text) return text.failure();
    const auto read = read_endpoints(*text, arguments.config);
    if (!read) return read.failure();
    endpoints = *read;
  }
  if (!arguments.publish.empty()) endpoints.publish = arguments.publish;
  if (!arguments.subscribe.empty()) endpoints.subscribe = arguments.subscribe;
  return endpoints;
}

std::string connectable(std::string_view endpoint) {
  using Spelling = std::pair<std::string_view, std::string_view>;
  constexpr std::array<Spelling, 3> kSpellings{{{"tcp://*:", "tcp://127.0.0.1:"},
                                                {"tcp://0.0.0.0:", "tcp://127.0.0.1:"},
                                                {"tcp://[::]:", "tcp://[::1]:"}}};
  for (const Spelling& spelling : kSpellings) {
    if (!endpoint.starts_with(spelling.first)) continue;
    return std::string(spelling.second) + std::string(endpoint.substr(spelling.first.size()));
  }
  return std::string(endpoint);
}

}  // namespace conga::cli
