// SPDX-License-Identifier: Apache-2.0
//
// Template: a text with places to fill in, in the manner of Mustache: `{{name}}` is a value,
// `{{#name}}…{{/name}}` is repeated for each entry of a list; around a value it is there if the
// value is not empty. A section's tag that has its line for itself leaves no line behind.
// What may be filled in is known beforehand, so that a slip is found at the start and not in a
// customer's mail.

#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace conga::notification {

using Values = std::map<std::string, std::string, std::less<>>;

struct Fields {
  Values values;
  std::map<std::string, std::vector<Values>, std::less<>> lists;
};

enum class Escape {
  None,
  Html,  ///< What HTML would read as markup.
};

struct TemplateFault {
  std::string what;
  std::string near;  ///< The tag as it stands in the text.
};

class Template {
public:
  Template() = default;

  /// `known`: every value, and every list with one entry. Appends what is wrong to `faults`.
  Template(std::string_view text, const Fields& known, std::vector<TemplateFault>& faults);

  /// `fields` are shaped as `known` was; what they lack is empty.
  std::string render(const Fields& fields, Escape escape) const;

private:
  friend class TemplateParser;

  enum class Kind { Text, Value, Open, Close };

  struct Part {
    Kind kind = Kind::Text;
    std::string text;     ///< Or the name.
    std::size_t end = 0;  ///< Of Kind::Open: the part that closes it.
  };

  struct Rendering;

  void render(Rendering& to, std::size_t from, std::size_t end, const Values* entry) const;
  void render_section(Rendering& to, std::size_t open, const Values* entry) const;

  std::vector<Part> parts_;
};

}  // namespace conga::notification
