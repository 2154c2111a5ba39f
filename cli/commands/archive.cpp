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

void count(const Archived& archived, Kinds& kinds) {
  Kind& kind = kinds[{std::string(archived.event.source), std::string(archived.event.detail_type)}];
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

}  // namespace

ExitCode run_archive(
    Files& files, const ArchiveOptions& options, WallTime now, Screen& screen, Look look) {
  const bool exports = options.action == ArchiveOptions::Action::Export;
  Kinds kinds;
  const std::atomic<bool> never{false};
  const auto faults =
      read_archive(files, options.choice, now, never, [&](const Archived& archived) {
        if (!exports) return count(archived, kinds);
        screen.print(to_json(archived.event.map) + "\n");
      });
  if (!faults) {
    return complain(screen, faults.error().what);
  }
  if (!exports) screen.print(look.json ? json_of(kinds) : table_of(kinds, look));
  for (const std::string& fault : *faults) screen.note("conga: " + printable(fault) + "\n");
  return faults->empty() ? ExitCode::Done : ExitCode::Refused;
}

}  // namespace conga::cli
