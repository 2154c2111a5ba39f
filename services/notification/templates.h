// SPDX-License-Identifier: Apache-2.0
//
// Templates: the words for every letter, in every language that there is a file for. The files are
// config/notification/LANGUAGE.yaml; en.yaml tells what may be in them.

#pragma once

#include "common/core/result.h"
#include "services/notification/letters.h"
#include "services/notification/template.h"

#include <map>
#include <string>
#include <string_view>

namespace conga::notification {

/// A letter in words.
struct Words {
  std::string language;  ///< The file's: de.
  std::string subject;
  std::string text;
  std::string html;
  std::string sms;
};

class Templates {
public:
  /// Every `LANGUAGE.yaml` in `folder`. Permanent, code `InvalidConfig`, with all faults of all
  /// files, each `file:line:column: what`, if one is faulty or English is not there.
  static Result<Templates> load(const std::string& folder);

  /// In the recipient's language, in its base language, or in English.
  Words words_for(const Letter& letter) const;

private:
  struct Message {
    Template subject;
    Template text;
    Template html;
    Template sms;
  };

  struct Language {
    std::string name;
    std::string decimal_mark = ".";
    Template text_head;
    Template text_foot;
    Template html_head;
    Template html_foot;
    std::map<std::string, Message, std::less<>> messages;  ///< By detail-type.
  };

  friend class LanguageReader;

  const Language& language_for(std::string_view tag) const;

  std::map<std::string, Language, std::less<>> languages_;  ///< By tag in small letters.
};

}  // namespace conga::notification
