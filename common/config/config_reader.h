// SPDX-License-Identifier: Apache-2.0
//
// ConfigReader: moves a Document's values into a config struct and collects every fault on the
// way, so that an operator needs one pass to repair a file. A struct's own values are the defaults.

#pragma once

#include "common/config/document.h"
#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga {

/// Faults of one file, each `file:line:column: what`.
class ConfigFaults {
public:
  explicit ConfigFaults(std::string file) : file_(std::move(file)) {}

  void add(std::size_t line, std::size_t column, const std::string& what);

  void add(const Document& where, const std::string& what) { add(where.line, where.column, what); }

  bool empty() const { return lines_.empty(); }

  const std::string& file() const { return file_; }

  /// Permanent, code `InvalidConfig`; the faults one per line, in the order of the file.
  Error error() const;

private:
  struct Line {
    std::size_t line;
    std::size_t column;
    std::string what;
  };

  std::string file_;
  std::vector<Line> lines_;
};

/// Reads the members of one map. Each call names a key that is allowed; when the reader goes out of
/// scope, every other key and every repeated one is a fault. `map` and `faults` must outlive it. An
/// absent key leaves `into` as it is; a faulty one too.
class ConfigReader {
public:
  /// `path` is what the faults call the map: empty for the whole file, else `journal.`.
  ConfigReader(const Document& map, std::string path, ConfigFaults& faults);
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  ~ConfigReader() { finish(); }

  /// The map below `key`; an absent one reads as empty.
  ConfigReader section(std::string_view key);

  /// The elements of the list below `key`; empty if absent.
  const std::vector<Document>& list(std::string_view key);

  /// Calls `read` with a reader for each map in the list below `key`.
  template <class Read>
  void each(std::string_view key, Read read) {
    std::size_t index = 0;
    for (const Document& element : list(key)) {
      ConfigReader reader(
          element, path_ + std::string(key) + "[" + std::to_string(index++) + "].", faults_);
      read(reader);
    }
  }

  /// Any node, for whoever reads it himself; null if absent.
  const Document* any(std::string_view key);

  template <class Integer>
  void integer(std::string_view key, Integer& into, std::uint64_t low, std::uint64_t high) {
    std::uint64_t value = 0;
    if (read_integer(key, value, low, high)) into = static_cast<Integer>(value);
  }

  void number(std::string_view key, double& into, double low, double high);
  void boolean(std::string_view key, bool& into);
  void text(std::string_view key, std::string& into);
  void texts(std::string_view key, std::vector<std::string>& into);
  void duration(std::string_view key, Duration& into, Duration low, Duration high);

  /// `512`, `64KiB`, `64MiB`, `1GiB`.
  template <class Integer>
  void bytes(std::string_view key, Integer& into, std::uint64_t low, std::uint64_t high) {
    std::uint64_t value = 0;
    if (read_bytes(key, value, low, high)) into = static_cast<Integer>(value);
  }

  /// `tcp://HOST:PORT`, `ipc://PATH` or `inproc://NAME`.
  void endpoint(std::string_view key, std::string& into);

  /// Relative to the folder of the file; if it was given on the command line, left as it is.
  void path(std::string_view key, std::string& into);

  template <class Choice>
  void choice(std::string_view key,
              Choice& into,
              std::initializer_list<std::pair<std::string_view, Choice>> choices) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : choices) names.push_back(name);
    const std::size_t chosen = read_choice(key, names);
    if (chosen < choices.size()) into = (choices.begin() + chosen)->second;
  }

  /// A key that must be there.
  void require(std::string_view key);

  /// A fault of the value below `key`, for what only the caller can judge: `journal.size: WHAT`.
  void fault(std::string_view key, const std::string& what);

  /// What the destructor does; once.
  void finish();

private:
  const Document* take(std::string_view key);
  bool read_integer(std::string_view key,
                    std::uint64_t& into,
                    std::uint64_t low,
                    std::uint64_t high);
  bool read_bytes(std::string_view key, std::uint64_t& into, std::uint64_t low, std::uint64_t high);
  std::size_t read_choice(std::string_view key, const std::vector<std::string_view>& names);
  void expected(const Document& value, std::string_view key, const std::string& what);

  const Document& map_;
  std::string path_;
  ConfigFaults& faults_;
  std::vector<std::string> known_;
  bool finished_ = false;
};

/// `journal.segment-size=16MiB`: sets or adds one value, as `--set` does. The value is YAML, so
/// lists can be given too: `rules.files=[a.yaml, b.yaml]`.
Result<> override_value(Document& root, std::string_view assignment);

/// The file at `path` (empty: no file) with `overrides` applied.
Result<Document> load_config(const std::string& path, const std::vector<std::string>& overrides);

/// The name in `names` that `word` may be a slip of, or empty.
std::string_view nearest(std::string_view word, const std::vector<std::string>& names);

Result<std::uint64_t> parse_bytes(std::string_view text);

/// The whole file. Permanent, code `Unreadable`, if it cannot be read.
Result<std::string> read_text_file(const std::string& path);

}  // namespace conga
