// SPDX-License-Identifier: Apache-2.0
//
// Builds Documents from yaml-cpp's events rather than from its nodes: these keep aliases, places
// and repeated keys apart, and cost a third of the time.

#include "common/config/document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <sstream>

namespace conga {
namespace {

/// A document nested deeper is refused before it can exhaust a reader's stack.
constexpr std::size_t kMaxDepth = 128;

/// `\u` escapes of surrogate pairs are JSON, but yaml-cpp refuses them. Those that it stumbled on
/// have been rewritten as `\U`, which moves what follows on the line two columns to the left.
struct Rewrite {
  std::size_t line;
  std::size_t column;
};

using Rewrites = std::vector<Rewrite>;

struct Place {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// Where yaml-cpp's mark is in the text as the user wrote it, counted from 1.
Place place_of(const YAML::Mark& mark, const Rewrites& rewrites) {
  if (mark.is_null()) return {};
  Place place{.line = static_cast<std::size_t>(mark.line) + 1,
              .column = static_cast<std::size_t>(mark.column) + 1};
  for (const Rewrite& rewrite : rewrites) {
    if (rewrite.line == place.line && rewrite.column < place.column) place.column += 2;
  }
  return place;
}

[[noreturn]] void refuse(const YAML::Mark& mark, const std::string& why) {
  throw YAML::ParserException(mark, why);
}

void set_place(Document& document, const Place& place) {
  document.line = place.line;
  document.column = place.column;
}

std::size_t count_nodes(const Document& document) {
  std::size_t count = 1;
  for (const Document& element : document.elements) count += count_nodes(element);
  for (const Document::Member& member : document.members) count += count_nodes(member.value);
  return count;
}

class Builder final : public YAML::EventHandler {
public:
  Builder(std::size_t max_nodes, const Rewrites& rewrites)
      : max_nodes_(max_nodes), rewrites_(rewrites) {}

  Document take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (started_) refuse(mark, "only one document is allowed in a file");
    started_ = true;
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, Document(), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) refuse(mark, "this alias stands inside what it names");
    if (expects_key()) refuse(mark, "a key must be text, not an alias");
    nodes_ += count_nodes(found->second);
    add(mark, found->second, 0);
  }

  void OnScalar(const YAML::Mark& mark,
                const std::string& tag,
                YAML::anchor_t anchor,
                const std::string& value) override {
    const bool quoted = tag == "!";
    if (!quoted) refuse_tag(mark, tag);
    if (expects_key()) {
      take_key(mark, value, quoted);
      return;
    }
    Document scalar;
    if (quoted) {
      scalar.kind = Document::Kind::String;
      scalar.text = value;
    } else {
      scalar = plain_scalar(value);
    }
    add(mark, std::move(scalar), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark,
                       const std::string& tag,
                       YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Document::Kind::Array);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, Document::Kind::Map);
  }

  void OnMapEnd() override { close(); }

private:
  /// A list or map of which more is to come.
  struct Open {
    YAML::Mark mark;
    YAML::anchor_t anchor = 0;
    Document document;
    std::optional<Document::Member> key;  ///< Read, its value not yet.
  };

  bool expects_key() const {
    return !open_.empty() && open_.back().document.kind == Document::Kind::Map && !open_.back().key;
  }

  static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?") refuse(mark, "tags such as " + tag + " are not allowed");
  }

  void take_key(const YAML::Mark& mark, const std::string& text, bool quoted) {
    if (text == "<<" && !quoted)
      refuse(mark, "merge keys (<<) are not allowed: repeat the members");
    const Place place = place_of(mark, rewrites_);
    Document::Member member;
    member.key = text;
    member.line = place.line;
    member.column = place.column;
    open_.back().key = std::move(member);
  }

  void open(const YAML::Mark& mark,
            const std::string& tag,
            YAML::anchor_t anchor,
            Document::Kind kind) {
    refuse_tag(mark, tag == "!" ? std::string() : tag);
    if (expects_key()) refuse(mark, "a key must be text, not a list or map");
    if (open_.size() >= kMaxDepth) {
      refuse(mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    Open next{.mark = mark, .anchor = anchor, .document = {}, .key = {}};
    next.document.kind = kind;
    open_.push_back(std::move(next));
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(done.mark, std::move(done.document), done.anchor);
  }

  void add(const YAML::Mark& mark, Document document, YAML::anchor_t anchor) {
    // Each node takes some of the text; only aliases of aliases can make more.
    if (++nodes_ > max_nodes_) refuse(mark, "its aliases make it too large");
    set_place(document, place_of(mark, rewrites_));
    if (anchor != 0) anchors_.insert_or_assign(anchor, document);
    if (open_.empty()) {
      root_ = std::move(document);
      return;
    }
    Open& parent = open_.back();
    if (parent.document.kind == Document::Kind::Array) {
      parent.document.elements.push_back(std::move(document));
      return;
    }
    if (!parent.key) refuse(mark, "a key is missing");
    parent.key->value = std::move(document);
    parent.document.members.push_back(*std::exchange(parent.key, std::nullopt));
  }

  std::size_t max_nodes_;
  std::size_t nodes_ = 0;
  const Rewrites& rewrites_;
  bool started_ = false;
  Document root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Document> anchors_;
};

std::optional<std::uint32_t> hex_escape(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "\\u" || text.size() < at + 6) return std::nullopt;
  std::uint32_t code = 0;
  const char* const end = text.data() + at + 6;
  const auto [stop, error] = std::from_chars(text.data() + at + 2, end, code, 16);
  if (error != std::errc() || stop != end) return std::nullopt;
  return code;
}

/// Rewrites the pair whose first escape begins at `at`. False if there is no pair.
bool rewrite_pair(std::string& text, std::size_t at) {
  const auto high = hex_escape(text, at);
  const auto low = hex_escape(text, at + 6);
  if (!high || !low || *high < 0xd800 || *high > 0xdbff || *low < 0xdc00 || *low > 0xdfff) {
    return false;
  }
  std::uint32_t code = 0x10000 + ((*high - 0xd800) << 10U) + (*low - 0xdc00);
  std::string digits(8, '0');
  for (std::size_t index = digits.size(); index-- > 0; code >>= 4U) {
    digits[index] = "0123456789abcdef"[code & 0xfU];
  }
  text.replace(at, 12, "\\U" + digits);
  return true;
}

/// yaml-cpp stopped at `mark`, right after the digits of an escape that it refuses, so within a
/// double-quoted text. Rewrites the surrogate pairs from there to the text's end or the line's.
bool rewrite_surrogates(std::string& text, const YAML::Mark& mark, Rewrites& rewrites) {
  if (mark.is_null() || mark.pos < 6) return false;
  const std::size_t first = static_cast<std::size_t>(mark.pos) - 6;
  const std::size_t column = static_cast<std::size_t>(mark.column) - 5;  // counted from 1
  const auto line = static_cast<std::size_t>(mark.line) + 1;
  bool rewritten = false;
  for (std::size_t at = first; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at) {
    if (text[at] != '\\') continue;
    if (rewrite_pair(text, at)) {
      rewrites.push_back({.line = line, .column = column + (at - first)});
      rewritten = true;
      at += 9;
    } else if (at == first) {
      return false;  // a lone surrogate
    } else {
      ++at;  // whatever is escaped is not the end of the text
    }
  }
  return rewritten;
}

Document parse_once(const std::string& text, const Rewrites& rewrites) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Builder builder(text.size() + 16, rewrites);
  while (parser.HandleNextDocument(builder)) {
  }
  return builder.take();
}

std::string explain(const YAML::Exception& error) {
  if (error.msg.starts_with(YAML::ErrorMsg::INVALID_UNICODE)) {
    return "invalid unicode escape: a surrogate must come as a pair such as \\ud83d\\ude00";
  }
  return error.msg;
}

}  // namespace

const Document* Document::find(std::string_view key) const {
  const auto found = std::find_if(
      members.rbegin(), members.rend(), [key](const Member& member) { return member.key == key; });
  return found == members.rend() ? nullptr : &found->value;
}

std::string Document::describe() const {
  switch (kind) {
    case Kind::Null:
      return "nothing";
    case Kind::Boolean:
      return "the boolean " + text;
    case Kind::Integer:
    case Kind::Unsigned:
    case Kind::Double:
      return "the number " + text;
    case Kind::String:
      return "the text '" + text + "'";
    case Kind::Array:
      return "a list";
    case Kind::Map:
      return "a map";
  }
  return {};
}

Result<Document> parse_yaml(std::string_view text, const std::string& file) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string source(text);
  Rewrites rewrites;
  while (true) {
    try {
      return parse_once(source, rewrites);
    } catch (const YAML::Exception& error) {
      const bool escape = error.msg.starts_with(YAML::ErrorMsg::INVALID_UNICODE);
      if (escape && rewrite_surrogates(source, error.mark, rewrites)) continue;
      const Place place = place_of(error.mark, rewrites);
      return fail(Fault::Permanent,
                  file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column)
                      + ": " + explain(error),
                  "InvalidYaml");
    }
  }
}

}  // namespace conga
