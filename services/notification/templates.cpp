// SPDX-License-Identifier: Apache-2.0

#include "services/notification/templates.h"

#include "common/config/config_reader.h"
#include "common/core/check.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

namespace conga::notification {
namespace {

constexpr std::string_view kEnglish = "en";

std::string small_letters(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return out;
}

struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// Where `near` stands in the file, at or behind `start`: a scalar's own place is only where its
/// first line, or the `|` before it, begins.
Place place_of(std::string_view file, const Document& start, const std::string& near) {
  std::size_t offset = 0;
  for (std::size_t line = 1; line < start.line && offset != std::string_view::npos; ++line) {
    offset = file.find('\n', offset);
    if (offset != std::string_view::npos) ++offset;
  }
  const std::size_t found =
      offset == std::string_view::npos ? offset : file.find(near, offset + start.column - 1);
  if (found == std::string_view::npos) return {.line = start.line, .column = start.column};
  const std::string_view before = file.substr(0, found);
  const auto line = 1 + static_cast<std::size_t>(std::ranges::count(before, '\n'));
  return {.line = line, .column = found - (before.rfind('\n') + 1) + 1};
}

std::vector<std::filesystem::path> language_files(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::ranges::sort(files);  // so that faults come in the same order everywhere
  return files;
}

}  // namespace

class LanguageReader {
public:
  LanguageReader(std::string_view file, ConfigFaults& faults) : file_(file), faults_(faults) {}

  Templates::Language read(const Document& root) {
    Templates::Language language;
    const Fields common = known_fields();
    ConfigReader reader(root, {}, faults_);
    reader.text("decimal-mark", language.decimal_mark);
    words(reader, "text-head", common, language.text_head);
    words(reader, "text-foot", common, language.text_foot);
    words(reader, "html-head", common, language.html_head);
    words(reader, "html-foot", common, language.html_foot);
    reader.require("messages");
    ConfigReader messages = reader.section("messages");
    for (const auto& [type, fields] : known_letters()) {
      ConfigReader section = messages.section(type);
      Templates::Message& message = language.messages[std::string(type)];
      words(section, "subject", fields, message.subject);
      words(section, "text", fields, message.text);
      words(section, "html", fields, message.html);
      words(section, "sms", fields, message.sms);
    }
    return language;
  }

private:
  void words(ConfigReader& reader, std::string_view key, const Fields& known, Template& into) {
    reader.require(key);
    const Document* const value = reader.any(key);
    if (value == nullptr) return;
    if (value->kind != Document::Kind::String) {
      return reader.fault(key, "expected text, got " + value->describe());
    }
    std::vector<TemplateFault> faults;
    into = Template(value->text, known, faults);
    for (const TemplateFault& fault : faults) {
      const Place place = place_of(file_, *value, fault.near);
      faults_.add(place.line, place.column, fault.what);
    }
  }

  std::string_view file_;
  ConfigFaults& faults_;
};

Result<Templates> Templates::load(const std::string& folder) {
  Templates templates;
  std::string all_faults;
  for (const std::filesystem::path& file : language_files(folder)) {
    const auto text = read_text_file(file);
    if (!text) return text.failure();
    const auto root = parse_yaml(*text, file);
    if (!root) return root.failure();
    ConfigFaults faults(file);
    Language language = LanguageReader(*text, faults).read(*root);
    if (!faults.empty()) all_faults += (all_faults.empty() ? "" : "\n") + faults.error().what;
    language.name = file.stem();
    const std::string tag = small_letters(language.name);
    templates.languages_[tag] = std::move(language);
  }
  if (!all_faults.empty()) return fail(Fault::Permanent, all_faults, "InvalidConfig");
  if (templates.languages_.contains(kEnglish)) return templates;
  return fail(Fault::Permanent,
              folder + "/en.yaml is not there: English is for those whose language has no file",
              "InvalidConfig");
}

/// RFC 4647 §3.4: de-CH-1996, de-CH, de, and then English.
const Templates::Language& Templates::language_for(std::string_view tag) const {
  std::string range = small_letters(tag);
  while (!range.empty()) {
    const auto found = languages_.find(range);
    if (found != languages_.end()) return found->second;
    const std::size_t cut = range.rfind('-');
    range.resize(cut == std::string::npos ? 0 : cut);
  }
  return languages_.at(std::string(kEnglish));
}

Words Templates::words_for(const Letter& letter) const {
  const Language& language = language_for(letter.trip.language);
  const auto found = language.messages.find(letter.about);
  CONGA_CHECK(found != language.messages.end(), "load() has read words for every letter");
  const Message& message = found->second;
  Fields fields = letter.fields;
  fields.values["fare"] = money(letter.trip.fare, language.decimal_mark);
  const auto plain = [&](const Template& words) { return words.render(fields, Escape::None); };
  const auto html = [&](const Template& words) { return words.render(fields, Escape::Html); };
  Words words{.language = language.name,
              .subject = plain(message.subject),
              .text = letter.receipt.text,
              .html = letter.receipt.html,
              .sms = plain(message.sms)};
  if (words.text.empty()) {
    words.text = plain(language.text_head) + plain(message.text) + plain(language.text_foot);
  }
  if (words.html.empty()) {
    words.html = html(language.html_head) + html(message.html) + html(language.html_foot);
  }
  return words;
}

}  // namespace conga::notification
