// SPDX-License-Identifier: Apache-2.0
//
// CaseText: the text of an `equals-ignore-case` condition. A character of it stands for itself, its
// lower-case and its upper-case form (one character or several); not symmetric, because the event's
// characters are taken as they are.

#pragma once

#include <string>
#include <string_view>

namespace conga::bus {

/// The full mapping of one character, as UTF-8; the character itself if it has no such form.
std::string lower_case(char32_t letter);
std::string upper_case(char32_t letter);

class CaseText {
public:
  enum class Where : bool { Front, Back };

  /// `where`: the end of the event's text from which will be compared. `text` is UTF-8.
  CaseText(std::string_view text, Where where);

  /// Takes the text off its end of `rest`, if it is there. No character's forms begin or end with
  /// one another (the tests check all of Unicode), so one look is enough.
  bool take(std::string_view& rest) const;

  /// The pattern's text, in lower case, if it is all ASCII: then ASCII folding decides.
  const std::string& text() const { return text_; }

  bool ascii() const { return ascii_; }

  Where where() const { return where_; }

private:
  bool take_ascii(std::string_view& rest) const;

  std::string text_;
  std::string forms_;  ///< Per character, from the end compared: count, then length and bytes each.
  bool ascii_;
  Where where_;
};

}  // namespace conga::bus
