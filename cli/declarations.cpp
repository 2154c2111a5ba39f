// SPDX-License-Identifier: Apache-2.0

#include "cli/declarations.h"

#include "common/config/config_reader.h"

#include <utility>

namespace conga::cli {

Result<std::vector<bus::Declaration>> load_declarations(const std::vector<std::string>& paths) {
  std::vector<bus::Declaration> declarations;
  for (const std::string& path : paths) {
    const auto text = read_text_file(path);
    if (!text) return text.failure();
    auto declaration = bus::read_declaration(*text);
    if (!declaration) {
      return fail(Fault::Permanent,
                  path + ": is no manifest, as `conga-payment --manifest` prints one: "
                      + declaration.error().what,
                  declaration.error().code);
    }
    declaration->file = path;
    declarations.push_back(std::move(*declaration));
  }
  return declarations;
}

}  // namespace conga::cli
