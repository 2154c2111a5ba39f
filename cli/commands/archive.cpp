// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/archive.h"

#include "cli/complain.h"
#include "cli/text.h"
#include "common/wire/event/json.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <map>
#include <utility>

namespace conga::cli {
namespace {

/// Of one source and detail-type.
struct Kind {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  WallTime oldest;
  WallTime newest;
};

using Kinds = std::map<std::pair<std::string, std::string>, Kind>;

void count(const Archived& archived, Kind& kind) {
  if (kind.events++ == 0) kind.oldest = kind.newest = archived.ingested;
  kind.bytes += archived.event.bytes.size();
  kind.oldest = std::min(kind.oldest, archived.ingested);
  kind.newest = std::max(kind.newest, archived.ingested);
}

std::string table_of(const Kinds& kinds, const Look& look) {
  if (kinds.empty()) return "no event\n";
  Table table({"SOURCE", "DETAIL-TYPE", "EVENTS", "BYTES", "OLDEST", "NEWEST"});
  for (const auto& [name, kind] : kinds) {
    table.add({Cell{.text = printable(name.first)},
               Cell{.text = printable(name.second)},
               Cell{.text = std::to_string(kind.events), .right = true},
               Cell{.text = std::to_string(kind.bytes), .right = true},
               Cell{.text = format_rfc3339(kind.oldest)},
               Cell{.text = format_rfc3339(kind.newest)}});
  }
  return table.text(look);
}

std::string json_of(const Kinds& kinds) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(1).key("kinds").array(kinds.size());
  for (const auto& [name, kind] : kinds) {
    packer.map(6).key("source").string(name.first).key("detail-type").string(name.second);
    packer.key("events").unsigned_integer(kind.events).key("bytes").unsigned_integer(kind.bytes);
    packer.key("oldest").string(format_rfc3339(kind.oldest));
    packer.key("newest").string(format_rfc3339(kind.newest));
  }
  return to_json(Value::trusted(bytes)) + "\n";
}

/// What one archive holds, of all kinds.
struct Holding {
  std::string name;  ///< Empty: the journal.
  Kind all;
};

std::string table_of(const std::vector<Holding>& holdings, const Look& look) {
  Table table({"ARCHIVE", "EVENTS", "BYTES", "OLDEST", "NEWEST"});
  for (const Holding& holding : holdings) {
    const std::string& name = holding.name;
    const Kind& all = holding.all;
    const auto time = [&all](WallTime when) { return all.events ? format_rfc3339(when) : "-"; };
    table.add({Cell{.text = name.empty() ? "(journal)" : printable(name)},
               Cell{.text = std::to_string(all.events), .right = true},
               Cell{.text = std::to_string(all.bytes), .right = true},
               Cell{.text = time(all.oldest)},
               Cell{.text = time(all.newest)}});
  }
  return table.text(look);
}

std::string json_of(const std::vector<Holding>& holdings) {
  std::string bytes;
  Packer packer(bytes);
  packer.map(1).key("archives").array(holdings.size());
  for (const Holding& holding : holdings) {
    const std::string& name = holding.name;
    const Kind& all = holding.all;
    const auto pack_time = [&](std::string_view key, WallTime when) {
      packer.key(key);
      all.events ? packer.string(format_rfc3339(when)) : packer.null();
    };
    packer.map(5).key("archive");
    name.empty() ? packer.null() : packer.string(name);
    packer.key("events").unsigned_integer(all.events).key("bytes").unsigned_integer(all.bytes);
    pack_time("oldest", all.oldest);
    pack_time("newest", all.newest);
  }
  return to_json(Value::trusted(bytes)) + "\n";
}

ExitCode show(const std::vector<std::string>& faults, Screen& screen) {
  for (const std::string& fault : faults) screen.note("conga: " + printable(fault) + "\n");
  return faults.empty() ? ExitCode::Done : ExitCode::Refused;
}

ExitCode list_archives(
    Files& files, const std::string& journal, WallTime now, Screen& screen, Look look) {
  const auto names = archives_of(files, journal);
  if (!names) return complain(screen, names.error().what);
  const std::atomic<bool> never{false};
  std::vector<std::string> faults;
  std::vector<Holding> holdings(1);
  for (const std::string& name : *names) holdings.push_back({.name = name, .all = {}});
  for (Holding& holding : holdings) {
    const ArchiveChoice choice{.journal = journal, .archive = holding.name};
    const auto read = read_archive(
        files, choice, now, never, [&](const Archived& archived) { count(archived, holding.all); });
    if (!read) return complain(screen, read.error().what);
    faults.insert(faults.end(), read->begin(), read->end());
  }
  screen.print(look.json ? json_of(holdings) : table_of(holdings, look));
  return show(faults, screen);
}

}  // namespace

ExitCode run_archive(
    Files& files, const ArchiveOptions& options, WallTime now, Screen& screen, Look look) {
  if (options.action == ArchiveOptions::Action::List) {
    return list_archives(files, options.choice.journal, now, screen, look);
  }
  const bool exports = options.action == ArchiveOptions::Action::Export;
  Kinds kinds;
  const std::atomic<bool> never{false};
  const auto faults =
      read_archive(files, options.choice, now, never, [&](const Archived& archived) {
        const EventView& event = archived.event;
        if (!exports) {
          return count(archived,
                       kinds[{std::string(event.source), std::string(event.detail_type)}]);
        }
        screen.print(to_json(archived.event.map) + "\n");
      });
  if (!faults) {
    return complain(screen, faults.error().what);
  }
  if (!exports) screen.print(look.json ? json_of(kinds) : table_of(kinds, look));
  return show(*faults, screen);
}

}  // namespace conga::cli
