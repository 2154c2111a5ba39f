// SPDX-License-Identifier: Apache-2.0

#include "services/notification/template.h"

#include "common/config/config_reader.h"
#include "services/kit/html.h"

#include <algorithm>
#include <utility>

namespace conga::notification {
namespace {

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";
constexpr std::string_view kBlank = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

void append_names(const auto& map, std::vector<std::string>& names) {
  for (const auto& [name, value] : map) names.push_back(name);
}

}  // namespace

/// Splits a text into parts and judges each tag as it comes.
class TemplateParser {
public:
  TemplateParser(std::string_view text,
                 const Fields& known,
                 std::vector<Template::Part>& parts,
                 std::vector<TemplateFault>& faults)
      : text_(text), known_(known), parts_(parts), faults_(faults) {}

  void parse() {
    std::size_t at = 0;
    for (;;) {
      const std::size_t open = text_.find(kOpen, at);
      if (open == std::string_view::npos) break;
      const std::size_t close = text_.find(kClose, open);
      if (close == std::string_view::npos) {
        faults_.push_back({.what = "{{ has no }}", .near = std::string(kOpen)});
        break;
      }
      add_text(text_.substr(at, open - at));
      at = add_tag(open, close + kClose.size());
    }
    add_text(text_.substr(at));
    for (const Section& section : open_) {
      fault(section.tag + " has no {{/" + parts_[section.part].text + "}}", section.tag);
      parts_[section.part].end = parts_.size();
    }
  }

private:
  /// One that is open.
  struct Section {
    std::size_t part = 0;
    std::string tag;
  };

  void add_text(std::string_view text) {
    if (!text.empty()) parts_.push_back({.kind = Template::Kind::Text, .text = std::string(text)});
  }

  /// The tag from `open` up to `end`; returns where to go on.
  std::size_t add_tag(std::size_t open, std::size_t end) {
    const std::string_view tag = text_.substr(open, end - open);
    std::string_view name = tag.substr(kOpen.size(), tag.size() - kOpen.size() - kClose.size());
    const char sign = name.empty() ? '\0' : name.front();
    const bool is_section = sign == '#' || sign == '/';
    name = trimmed(is_section ? name.substr(1) : name);
    if (is_section) end = drop_line(open, end);
    if (sign == '#') {
      check(name, tag, true);
      open_.push_back({.part = parts_.size(), .tag = std::string(tag)});
      parts_.push_back({.kind = Template::Kind::Open, .text = std::string(name)});
    } else if (sign == '/') {
      close_section(name, tag);
    } else {
      check(name, tag, false);
      parts_.push_back({.kind = Template::Kind::Value, .text = std::string(name)});
    }
    return end;
  }

  void close_section(std::string_view name, std::string_view tag) {
    if (open_.empty() || parts_[open_.back().part].text != name) {
      return fault(std::string(tag) + " closes nothing that is open here", std::string(tag));
    }
    parts_[open_.back().part].end = parts_.size();
    open_.pop_back();
    parts_.push_back({.kind = Template::Kind::Close, .text = std::string(name)});
  }

  /// If the tag has its line for itself: takes back the line's beginning, and returns where the
  /// next line starts.
  std::size_t drop_line(std::size_t open, std::size_t end) {
    const std::size_t before = text_.substr(0, open).find_last_of('\n');
    const std::size_t start = before == std::string_view::npos ? 0 : before + 1;
    const std::size_t line_end = text_.find('\n', end);
    if (line_end == std::string_view::npos) return end;
    const bool alone = trimmed(text_.substr(start, open - start)).empty()
                       && trimmed(text_.substr(end, line_end - end)).empty();
    if (!alone) return end;
    if (start < open) {  // the blanks are the end of the text before
      std::string& text = parts_.back().text;
      text.resize(text.size() - (open - start));
    }
    return line_end + 1;
  }

  void check(std::string_view name, std::string_view tag, bool is_section) {
    if (known_.values.contains(name)) return;
    if (is_section && known_.lists.contains(name)) return;
    for (const Section& section : open_) {
      const auto list = known_.lists.find(parts_[section.part].text);
      if (list != known_.lists.end() && list->second.front().contains(name)) return;
    }
    if (known_.lists.contains(name)) {
      const std::string list(name);
      return fault(std::string(tag) + " is a list: write {{#" + list + "}} … {{/" + list + "}}",
                   std::string(tag));
    }
    fault("unknown placeholder " + std::string(tag) + hint(name), std::string(tag));
  }

  std::string hint(std::string_view name) const {
    std::vector<std::string> names;
    append_names(known_.values, names);
    append_names(known_.lists, names);
    for (const Section& section : open_) {
      const auto list = known_.lists.find(parts_[section.part].text);
      if (list != known_.lists.end()) append_names(list->second.front(), names);
    }
    const std::string_view close = nearest(name, names);
    if (!close.empty()) return ", did you mean " + std::string(close) + "?";
    std::string all;
    for (const std::string& each : names) all += (all.empty() ? "" : ", ") + each;
    return ". Here are known: " + all;
  }

  void fault(std::string what, std::string near) {
    faults_.push_back({.what = std::move(what), .near = std::move(near)});
  }

  std::string_view text_;
  const Fields& known_;
  std::vector<Template::Part>& parts_;
  std::vector<TemplateFault>& faults_;
  std::vector<Section> open_;  ///< Outermost first.
};

Template::Template(std::string_view text, const Fields& known, std::vector<TemplateFault>& faults) {
  TemplateParser(text, known, parts_, faults).parse();
}

struct Template::Rendering {
  const Fields& fields;
  Escape escape;
  std::string out;

  /// Of the entry, or else of the whole; empty if there is none.
  std::string_view value(const std::string& name, const Values* entry) const {
    if (entry != nullptr) {
      const auto found = entry->find(name);
      if (found != entry->end()) return found->second;
    }
    const auto found = fields.values.find(name);
    return found == fields.values.end() ? std::string_view() : found->second;
  }

  void fill_in(std::string_view value) {
    out += escape == Escape::Html ? kit::html_escaped(value) : std::string(value);
  }
};

std::string Template::render(const Fields& fields, Escape escape) const {
  Rendering rendering{.fields = fields, .escape = escape, .out = {}};
  render(rendering, 0, parts_.size(), nullptr);
  return std::move(rendering.out);
}

void Template::render(Rendering& to, std::size_t from, std::size_t end, const Values* entry) const {
  for (std::size_t at = from; at < end; ++at) {
    const Part& part = parts_[at];
    if (part.kind == Kind::Text) to.out += part.text;
    if (part.kind == Kind::Value) to.fill_in(to.value(part.text, entry));
    if (part.kind != Kind::Open) continue;
    render_section(to, at, entry);
    at = part.end;
  }
}

void Template::render_section(Rendering& to, std::size_t open, const Values* entry) const {
  const Part& part = parts_[open];
  const auto list = to.fields.lists.find(part.text);
  if (list != to.fields.lists.end()) {
    for (const Values& each : list->second) render(to, open + 1, part.end, &each);
  } else if (!to.value(part.text, entry).empty()) {
    render(to, open + 1, part.end, entry);
  }
}

}  // namespace conga::notification
