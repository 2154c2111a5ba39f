// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/rules_flow.h"

#include "cli/complain.h"
#include "cli/declarations.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <utility>

namespace conga::cli {
namespace {

using bus::Arrow;

std::string lines_of(const std::vector<Arrow>& arrows) {
  std::string text;
  for (const Arrow& arrow : arrows) {
    text += printable(arrow.from + "  --" + arrow.detail_type + "-->  " + arrow.to + "   by rule "
                      + arrow.rule)
            + "\n";
  }
  return text;
}

std::string json_of(const std::vector<Arrow>& arrows) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(1).key("arrows").array(arrows.size());
  for (const Arrow& arrow : arrows) {
    packer.map(4).key("from").string(arrow.from).key("detail-type").string(arrow.detail_type);
    packer.key("rule").string(arrow.rule).key("to").string(arrow.to);
  }
  return to_json(Value::trusted(bytes)) + "\n";
}

/// Mermaid's names of nodes are plain words.
std::string node_of(const std::string& name) {
  std::string node;
  for (const char letter : name) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z')
                       || (letter >= '0' && letter <= '9');
    node += plain ? letter : '_';
  }
  return node;
}

/// What stands in quotes must not hold one.
std::string label_of(std::string text) {
  std::ranges::replace(text, '"', '\'');
  return text;
}

/// Of one service to one other.
struct Bundle {
  std::string from;
  std::string to;
  std::vector<std::string> types;
};

std::vector<Bundle> bundles_of(const std::vector<Arrow>& arrows) {
  std::vector<Bundle> bundles;
  for (const Arrow& arrow : arrows) {
    const auto same = [&arrow](const Bundle& each) {
      return each.from == arrow.from && each.to == arrow.to;
    };
    auto bundle = std::ranges::find_if(bundles, same);
    if (bundle == bundles.end()) {
      bundle = bundles.insert(bundles.end(), {.from = arrow.from, .to = arrow.to, .types = {}});
    }
    if (std::ranges::find(bundle->types, arrow.detail_type) == bundle->types.end()) {
      bundle->types.push_back(arrow.detail_type);
    }
  }
  return bundles;
}

}  // namespace

std::string mermaid_of(const std::vector<Arrow>& arrows) {
  std::string text = "flowchart LR\n";
  std::vector<std::string> nodes;
  const auto declare = [&](const std::string& name) {
    if (std::ranges::find(nodes, name) != nodes.end()) return;
    nodes.push_back(name);
    text += "  " + node_of(name) + "[\"" + label_of(name) + "\"]\n";
  };
  const std::vector<Bundle> bundles = bundles_of(arrows);
  for (const Bundle& bundle : bundles) {
    declare(bundle.from);
    declare(bundle.to);
  }
  for (const Bundle& bundle : bundles) {
    std::string label;
    for (const std::string& type : bundle.types) label += (label.empty() ? "" : "<br/>") + type;
    text += "  " + node_of(bundle.from) + " -->|\"" + label_of(label) + "\"| " + node_of(bundle.to)
            + "\n";
  }
  return text;
}

std::string dot_of(const std::vector<Arrow>& arrows) {
  std::string text = "digraph choreography {\n  rankdir=LR;\n  node [shape=box];\n";
  for (const Bundle& bundle : bundles_of(arrows)) {
    std::string label;
    for (const std::string& type : bundle.types) label += (label.empty() ? "" : "\\n") + type;
    text += "  \"" + label_of(bundle.from) + "\" -> \"" + label_of(bundle.to) + "\" [label=\""
            + label_of(label) + "\"];\n";
  }
  return text + "}\n";
}

ExitCode show_flow(const RulesOptions& options, Screen& screen, Look look) {
  const auto rules = bus::RuleSet::load(options.files);
  const auto declarations = load_declarations(options.manifests);
  if (!rules) return complain(screen, rules.error().what);
  if (!declarations) return complain(screen, declarations.error().what);
  const std::vector<Arrow> arrows = arrows_of(*rules, *declarations);
  if (look.json) {
    screen.print(json_of(arrows));
  } else {
    screen.print(options.mermaid ? mermaid_of(arrows) : lines_of(arrows));
  }
  return ExitCode::Done;
}

}  // namespace conga::cli
