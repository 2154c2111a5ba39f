// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/bit_flip.h"

#include "common/io/log_scan.h"

#include <vector>

namespace conga::simulation {
namespace {

class Records final : public LogVisitor {
public:
  struct Place {
    LogPosition position;
    std::uint64_t size = 0;
    std::uint64_t commit = 0;
  };

  void on_notes(const SegmentNotes& /*newest*/) override {}

  Result<> on_record(const LogRecord& record) override {
    places.push_back({record.position, record.frame.size(), record.frame.commit});
    return {};
  }

  std::vector<Place> places;
};

}  // namespace

std::optional<BitFlip> choose_flip(testing::MemFiles& disk,
                                   const std::string& directory,
                                   Random& random) {
  Records records;
  const auto scan = scan_log(disk, directory, ScanFrom::LowWater, records);
  // Beside a torn record a flipped one passes for torn too: nothing tells them apart.
  if (!scan || !scan->damage.empty()) return std::nullopt;
  std::erase_if(records.places,
                [&](const auto& place) { return place.commit >= scan->last_commit; });
  if (records.places.empty()) return std::nullopt;
  const Records::Place& place = records.places[random.below(records.places.size())];
  return BitFlip{.path = directory + "/" + segment_name(place.position.segment),
                 .offset = place.position.offset + random.below(place.size),
                 .bit = static_cast<unsigned>(random.below(8))};
}

}  // namespace conga::simulation
