// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/journal_format.h"

#include "common/io/little_endian.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace conga::bus {
namespace {

/// Writes fields one after the other; the caller has seen to the room.
class Writer {
public:
  explicit Writer(char* to) : to_(to) {}

  template <std::integral Integer>
  Writer& integer(Integer value) {
    to_ = store_little(to_, value);
    return *this;
  }

  Writer& time(WallTime time) { return integer(std::int64_t{time.time_since_epoch().count()}); }

  Writer& raw(std::string_view bytes) {
    if (!bytes.empty()) std::memcpy(to_, bytes.data(), bytes.size());
    to_ += bytes.size();
    return *this;
  }

  Writer& text(std::string_view text) {
    return integer(static_cast<std::uint16_t>(text.size())).raw(text);
  }

private:
  char* to_;
};

/// Reads fields one after the other; once one is missing, ok() is false and all others are empty.
class Reader {
public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  template <std::integral Integer>
  Integer integer() {
    if (bytes_.size() < sizeof(Integer)) {
      ok_ = false;
      return {};
    }
    const Integer value = load_little<Integer>(bytes_.data());
    bytes_.remove_prefix(sizeof value);
    return value;
  }

  WallTime time() { return WallTime(Duration(integer<std::int64_t>())); }

  std::string_view text() {
    const std::size_t size = integer<std::uint16_t>();
    if (!ok_ || bytes_.size() < size) {
      ok_ = false;
      return {};
    }
    const std::string_view found = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return found;
  }

  std::string_view rest() const { return bytes_; }

  bool ok() const { return ok_; }

  bool complete() const { return ok_ && bytes_.empty(); }

private:
  std::string_view bytes_;
  bool ok_ = true;
};

/// In the sequence of an event record.
constexpr Sequence kAgain = Sequence{1} << 63U;

constexpr std::size_t kTextHead = sizeof(std::uint16_t);
constexpr std::size_t kEventHead = 16;
constexpr std::size_t kSettledHead = 37;
constexpr std::size_t kRetryHead = 36;

std::string_view cut(std::string_view text, std::size_t limit) {
  return text.substr(0, limit);
}

std::size_t text_size(std::string_view text, std::size_t limit = kMaxName) {
  return kTextHead + std::min(text.size(), limit);
}

tl::unexpected<Error> malformed(const char* kind) {
  return fail(Fault::Corrupt, std::string("a malformed ") + kind + " record", "DamagedJournal");
}

}  // namespace

Result<std::string> encode_targets(std::span<const TargetName> targets) {
  if (targets.size() > std::numeric_limits<std::uint16_t>::max()) {
    return fail(Fault::Permanent, "an event for more than 65535 targets", "TooManyTargets");
  }
  std::size_t size = sizeof(std::uint16_t);
  for (const TargetName& name : targets) {
    if (name.rule.size() > kMaxName || name.target.size() > kMaxName) {
      return fail(Fault::Permanent,
                  "the name of a rule or target is longer than " + std::to_string(kMaxName)
                      + " bytes: " + name.rule.substr(0, 40),
                  "NameTooLong");
    }
    size += text_size(name.rule) + text_size(name.target);
  }
  std::string bytes(size, '\0');
  Writer writer(bytes.data());
  writer.integer(static_cast<std::uint16_t>(targets.size()));
  for (const TargetName& name : targets) writer.text(name.rule).text(name.target);
  return bytes;
}

Result<std::vector<TargetName>> take_targets(std::string_view& bytes) {
  Reader reader(bytes);
  std::size_t count = reader.integer<std::uint16_t>();
  std::vector<TargetName> targets;
  for (; count > 0 && reader.ok(); --count) {
    TargetName name;
    name.rule = reader.text();
    name.target = reader.text();
    targets.push_back(std::move(name));
  }
  if (!reader.ok()) return malformed("event");
  bytes = reader.rest();
  return targets;
}

std::size_t event_record_size(std::string_view encoded_targets, std::string_view event) {
  return kEventHead + encoded_targets.size() + event.size();
}

void store_event_record(char* to,
                        Sequence sequence,
                        WallTime ingested,
                        std::string_view encoded_targets,
                        std::string_view event,
                        bool again) {
  Writer(to)
      .integer(again ? sequence | kAgain : sequence)
      .time(ingested)
      .raw(encoded_targets)
      .raw(event);
}

Result<EventRecordView> read_event_record(std::string_view payload) {
  Reader reader(payload);
  EventRecordView record;
  const auto numbered = reader.integer<Sequence>();
  record.sequence = numbered & ~kAgain;
  record.again = (numbered & kAgain) != 0;
  record.ingested = reader.time();
  const std::string_view from = reader.rest();
  for (std::size_t names = std::size_t{2} * reader.integer<std::uint16_t>();
       names > 0 && reader.ok();
       --names) {
    reader.text();
  }
  if (!reader.ok() || record.sequence == 0) return malformed("event");
  record.event = reader.rest();
  record.targets = from.substr(0, from.size() - record.event.size());
  return record;
}

std::size_t record_size(const SettledRecord& record) {
  return kSettledHead + text_size(record.target.rule) + text_size(record.target.target)
         + text_size(record.instance) + text_size(record.code)
         + text_size(record.message, kMaxMessage);
}

void store_record(char* to, const SettledRecord& record) {
  Writer(to)
      .integer(record.sequence)
      .integer(static_cast<std::uint8_t>(record.ending))
      .integer(record.attempts)
      .time(record.first_attempt)
      .time(record.last_attempt)
      .time(record.at)
      .text(cut(record.target.rule, kMaxName))
      .text(cut(record.target.target, kMaxName))
      .text(cut(record.instance, kMaxName))
      .text(cut(record.code, kMaxName))
      .text(cut(record.message, kMaxMessage));
}

Result<SettledRecord> read_settled_record(std::string_view payload) {
  Reader reader(payload);
  SettledRecord record;
  record.sequence = reader.integer<Sequence>();
  const auto ending = reader.integer<std::uint8_t>();
  record.ending = static_cast<Ending>(ending);
  record.attempts = reader.integer<std::uint32_t>();
  record.first_attempt = reader.time();
  record.last_attempt = reader.time();
  record.at = reader.time();
  record.target.rule = reader.text();
  record.target.target = reader.text();
  record.instance = reader.text();
  record.code = reader.text();
  record.message = reader.text();
  if (!reader.complete() || ending > static_cast<std::uint8_t>(Ending::DeadLetter)) {
    return malformed("settled");
  }
  return record;
}

std::size_t record_size(const RetryRecord& record) {
  return kRetryHead + text_size(record.target.rule) + text_size(record.target.target)
         + text_size(record.instance) + text_size(record.code)
         + text_size(record.message, kMaxMessage);
}

void store_record(char* to, const RetryRecord& record) {
  Writer(to)
      .integer(record.sequence)
      .integer(record.attempt)
      .time(record.sent)
      .time(record.failed)
      .time(record.due)
      .text(cut(record.target.rule, kMaxName))
      .text(cut(record.target.target, kMaxName))
      .text(cut(record.instance, kMaxName))
      .text(cut(record.code, kMaxName))
      .text(cut(record.message, kMaxMessage));
}

Result<RetryRecord> read_retry_record(std::string_view payload) {
  Reader reader(payload);
  RetryRecord record;
  record.sequence = reader.integer<Sequence>();
  record.attempt = reader.integer<std::uint32_t>();
  record.sent = reader.time();
  record.failed = reader.time();
  record.due = reader.time();
  record.target.rule = reader.text();
  record.target.target = reader.text();
  record.instance = reader.text();
  record.code = reader.text();
  record.message = reader.text();
  if (!reader.complete()) return malformed("retry");
  return record;
}

}  // namespace conga::bus
