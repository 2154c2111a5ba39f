// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/casing.h"

#include "bus/rules/casing_table.h"
#include "common/wire/event/utf8.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace conga::bus {
namespace {

std::string to_utf8(char32_t letter) {
  std::string text;
  const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (letter < 0x80) {
    add(letter);
  } else if (letter < 0x800) {
    add(0xC0U | letter >> 6U);
    add(0x80U | (letter & 0x3FU));
  } else if (letter < 0x10000) {
    add(0xE0U | letter >> 12U);
    add(0x80U | (letter >> 6U & 0x3FU));
    add(0x80U | (letter & 0x3FU));
  } else {
    add(0xF0U | letter >> 18U);
    add(0x80U | (letter >> 12U & 0x3FU));
    add(0x80U | (letter >> 6U & 0x3FU));
    add(0x80U | (letter & 0x3FU));
  }
  return text;
}

/// Takes one character off UTF-8 that has been checked before.
char32_t take_letter(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  std::size_t size = 1;
  char32_t letter = first;
  if (first >= 0xF0) {
    size = 4;
    letter = first & 0x07U;
  } else if (first >= 0xE0) {
    size = 3;
    letter = first & 0x0FU;
  } else if (first >= 0xC0) {
    size = 2;
    letter = first & 0x1FU;
  }
  size = std::min(size, text.size());
  for (std::size_t index = 1; index < size; ++index) {
    letter = letter << 6U | (static_cast<unsigned char>(text[index]) & 0x3FU);
  }
  text.remove_prefix(size);
  return letter;
}

std::string map_case(char32_t letter,
                     std::span<const CaseRun> runs,
                     std::span<const CaseSpecial> specials) {
  const auto code = static_cast<std::uint32_t>(letter);
  const auto special = std::ranges::lower_bound(specials, code, {}, &CaseSpecial::letter);
  if (special != specials.end() && special->letter == code) return std::string(special->text);
  const auto run = std::ranges::lower_bound(runs, code, {}, &CaseRun::last);
  if (run == runs.end() || code < run->first || (code - run->first) % run->step != 0) {
    return to_utf8(letter);
  }
  return to_utf8(static_cast<char32_t>(static_cast<std::int64_t>(code) + run->delta));
}

std::string forms_of(char32_t letter) {
  std::vector<std::string> forms{to_utf8(letter)};
  for (std::string form : {lower_case(letter), upper_case(letter)}) {
    if (std::ranges::find(forms, form) == forms.end()) forms.push_back(std::move(form));
  }
  std::string packed(1, static_cast<char>(forms.size()));
  for (const std::string& form : forms) {
    packed += static_cast<char>(form.size());
    packed += form;
  }
  return packed;
}

char ascii_lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + ('a' - 'A')) : letter;
}

}  // namespace

std::string lower_case(char32_t letter) {
  return map_case(letter, kLowerRuns, kLowerSpecials);
}

std::string upper_case(char32_t letter) {
  return map_case(letter, kUpperRuns, kUpperSpecials);
}

CaseText::CaseText(std::string_view text, Where where)
    : text_(text), ascii_(is_ascii(text)), where_(where) {
  if (ascii_) {
    std::ranges::transform(text_, text_.begin(), ascii_lower);
    return;
  }
  std::vector<std::string> characters;
  while (!text.empty()) characters.push_back(forms_of(take_letter(text)));
  if (where == Where::Back) std::ranges::reverse(characters);
  for (const std::string& character : characters) forms_ += character;
}

bool CaseText::take_ascii(std::string_view& rest) const {
  if (rest.size() < text_.size()) return false;
  const std::size_t begin = where_ == Where::Front ? 0 : rest.size() - text_.size();
  const std::string_view part = rest.substr(begin, text_.size());
  if (!std::ranges::equal(part, text_, {}, ascii_lower)) return false;
  rest = where_ == Where::Front ? rest.substr(text_.size()) : rest.substr(0, begin);
  return true;
}

bool CaseText::take(std::string_view& rest) const {
  if (ascii_) return take_ascii(rest);
  const auto take_form = [this, &rest](std::string_view form) {
    const bool front = where_ == Where::Front;
    if (front ? !rest.starts_with(form) : !rest.ends_with(form)) return false;
    front ? rest.remove_prefix(form.size()) : rest.remove_suffix(form.size());
    return true;
  };
  std::string_view forms = forms_;
  while (!forms.empty()) {
    auto count = static_cast<std::size_t>(forms.front());
    forms.remove_prefix(1);
    bool taken = false;
    for (; count > 0; --count) {
      const auto size = static_cast<std::size_t>(forms.front());
      taken = taken || take_form(forms.substr(1, size));
      forms.remove_prefix(1 + size);
    }
    if (!taken) return false;
  }
  return true;
}

}  // namespace conga::bus
