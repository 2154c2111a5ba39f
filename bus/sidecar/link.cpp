// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/link.h"

#include "common/core/check.h"
#include "common/io/little_endian.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace conga::bus {
namespace {

/// Tables and heartbeats; a table of 100 000 targets has about 20 MiB.
constexpr ValueLimits kTableLimits{.max_size = std::size_t{64} << 20U, .max_depth = 8};
constexpr ValueLimits kRoutedHeadLimits{.max_size = 1024, .max_depth = 1};
constexpr ValueLimits kMatchedLimits{.max_size = std::size_t{1} << 20U, .max_depth = 2};
constexpr ValueLimits kAliveLimits{.max_size = 1024, .max_depth = 1};

tl::unexpected<Error> malformed(std::string_view topic, std::string_view why) {
  return fail(Fault::Permanent, std::string(topic) + ": " + std::string(why), "Malformed");
}

/// The elements of an array in order; behind its end: null.
class Fields {
public:
  explicit Fields(const Value& array) : at_(array.elements().begin()), left_(array.size()) {}

  std::size_t left() const { return left_; }

  Value next() {
    if (left_ == 0) return {};
    const Value value = *at_;
    ++at_;
    --left_;
    return value;
  }

private:
  Value::Elements::iterator at_;
  std::size_t left_;
};

/// The body, which must be one array of at least `fields` elements and nothing else.
Result<Value> read_array(std::string_view topic,
                         std::string_view body,
                         std::size_t fields,
                         const ValueLimits& limits) {
  auto value = Value::parse(body, limits);
  if (!value) return malformed(topic, value.error().what);
  if (!value->is_array() || value->size() < fields) {
    return malformed(topic, "must be an array of at least " + std::to_string(fields));
  }
  return value;
}

void pack(Packer& packer, Duration duration) {
  packer.integer(duration.count());
}

std::string_view name_of(RetryPolicy::Jitter jitter) {
  return jitter == RetryPolicy::Jitter::Full ? "full" : "none";
}

void pack(Packer& packer, const RetryPolicy& policy) {
  packer.map(7).key("max-attempts").unsigned_integer(policy.max_attempts);
  pack(packer.key("max-age"), policy.max_age);
  pack(packer.key("backoff-initial"), policy.backoff_initial);
  packer.key("backoff-factor").number(policy.backoff_factor);
  pack(packer.key("backoff-max"), policy.backoff_max);
  packer.key("jitter").string(name_of(policy.jitter));
  pack(packer.key("ack-timeout"), policy.ack_timeout);
}

void pack(Packer& packer, const LinkTarget& target) {
  const DeliveryLimits& limits = target.limits;
  const bool limited = limits != DeliveryLimits{};
  const std::size_t members = 5U + (limited ? 1 : 0) + (target.start ? 1 : 0);
  packer.map(members).key("rule").string(target.rule);
  packer.key("target").string(target.target);
  packer.key("service").string(target.service);
  pack(packer.key("retry"), target.retry);
  packer.key("ordering").string(target.ordering);
  if (target.start) packer.key("start").integer(target.start->time_since_epoch().count());
  if (!limited) return;
  packer.key("limits").map(3).key("max-in-flight").unsigned_integer(limits.max_in_flight);
  packer.key("rate").unsigned_integer(limits.rate);
  packer.key("batch").unsigned_integer(limits.batch);
}

void pack(Packer& packer, const LinkExpectation& expectation) {
  packer.map(3).key("name").string(expectation.name).key("by").string(expectation.by);
  pack(packer.key("within"), expectation.within);
}

void pack(Packer& packer, const LinkArchive& archive) {
  packer.map(3).key("name").string(archive.name);
  pack(packer.key("retention-age"), archive.retention.age);
  packer.key("retention-size").unsigned_integer(archive.retention.bytes);
}

/// Reads the members of one map; remembers the first that is missing or of the wrong type.
class MapReader {
public:
  explicit MapReader(const Value& map) : map_(map) {}

  void read(std::string_view key, std::string& into) {
    const auto value = map_.find(key);
    const auto text = value ? value->string() : std::nullopt;
    if (text) into = *text;
    note(key, text.has_value());
  }

  void read(std::string_view key, std::uint32_t& into) {
    const auto value = map_.find(key);
    const auto number = value ? value->uint64() : std::nullopt;
    const bool fits = number && *number <= std::numeric_limits<std::uint32_t>::max();
    if (fits) into = static_cast<std::uint32_t>(*number);
    note(key, fits);
  }

  /// Microseconds, not negative.
  void read(std::string_view key, Duration& into) {
    const auto value = map_.find(key);
    const auto micros = value ? value->int64() : std::nullopt;
    const bool fits = micros && *micros >= 0;
    if (fits) into = Duration(*micros);
    note(key, fits);
  }

  void read(std::string_view key, std::uint64_t& into) {
    const auto value = map_.find(key);
    const auto number = value ? value->uint64() : std::nullopt;
    if (number) into = *number;
    note(key, number.has_value());
  }

  void read(std::string_view key, double& into) {
    const auto value = map_.find(key);
    const auto number = value ? value->number() : std::nullopt;
    const bool fits = number && *number >= 1.0;
    if (fits) into = *number;
    note(key, fits);
  }

  void read(std::string_view key, RetryPolicy::Jitter& into) {
    const auto value = map_.find(key);
    const auto name = value ? value->string() : std::nullopt;
    const bool full = name == "full";
    into = full ? RetryPolicy::Jitter::Full : RetryPolicy::Jitter::None;
    note(key, full || name == "none");
  }

  /// Empty: all was well.
  std::string_view first_fault() const { return fault_; }

private:
  void note(std::string_view key, bool well) {
    if (!well && fault_.empty()) fault_ = key;
  }

  const Value& map_;
  std::string_view fault_;
};

tl::unexpected<Error> bad_member(std::string_view key) {
  return malformed(kTableTopic, "'" + std::string(key) + "' is missing or has a wrong value");
}

Result<RetryPolicy> read_policy(const std::optional<Value>& value) {
  if (!value || !value->is_map()) return bad_member("retry");
  RetryPolicy policy;
  MapReader reader(*value);
  reader.read("max-attempts", policy.max_attempts);
  reader.read("max-age", policy.max_age);
  reader.read("backoff-initial", policy.backoff_initial);
  reader.read("backoff-factor", policy.backoff_factor);
  reader.read("backoff-max", policy.backoff_max);
  reader.read("jitter", policy.jitter);
  reader.read("ack-timeout", policy.ack_timeout);
  if (!reader.first_fault().empty()) return bad_member(reader.first_fault());
  return policy;
}

/// Absent: there are none.
Result<DeliveryLimits> read_limits(const std::optional<Value>& value) {
  DeliveryLimits limits;
  if (!value) return limits;
  MapReader reader(*value);
  reader.read("max-in-flight", limits.max_in_flight);
  reader.read("rate", limits.rate);
  reader.read("batch", limits.batch);
  if (!reader.first_fault().empty()) return bad_member(reader.first_fault());
  return limits;
}

Result<LinkTarget> read_target(const Value& value) {
  LinkTarget target;
  MapReader reader(value);
  reader.read("rule", target.rule);
  reader.read("target", target.target);
  reader.read("service", target.service);
  reader.read("ordering", target.ordering);
  if (!reader.first_fault().empty()) return bad_member(reader.first_fault());
  auto policy = read_policy(value.find("retry"));
  if (!policy) return policy.failure();
  target.retry = *policy;
  const auto limits = read_limits(value.find("limits"));
  if (!limits) return limits.failure();
  target.limits = *limits;
  const auto start = value.find("start");
  if (!start) return target;
  const auto micros = start->int64();
  if (!micros) return bad_member("start");
  target.start = WallTime(Duration(*micros));
  return target;
}

Result<LinkExpectation> read_expectation(const Value& value) {
  LinkExpectation expectation;
  MapReader reader(value);
  reader.read("name", expectation.name);
  reader.read("by", expectation.by);
  reader.read("within", expectation.within);
  if (!reader.first_fault().empty()) return bad_member(reader.first_fault());
  return expectation;
}

Result<LinkArchive> read_link_archive(const Value& value) {
  LinkArchive archive;
  MapReader reader(value);
  reader.read("name", archive.name);
  reader.read("retention-age", archive.retention.age);
  reader.read("retention-size", archive.retention.bytes);
  if (!reader.first_fault().empty()) return bad_member(reader.first_fault());
  if (!is_archive_name(archive.name)) return bad_member("name");
  return archive;
}

/// Nothing: it is no position in a list.
std::optional<std::uint32_t> index_in(const Value& value) {
  const auto index = value.uint64();
  if (!index || *index > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*index);
}

using Word = std::uint32_t;

/// Of an event in a `link/routed`, before its targets: where it begins, its size, where the text of
/// its id begins in it, how many targets it has, and the 16 bytes of its id.
constexpr std::size_t kIdSize = sizeof(Uuid::bytes);
constexpr std::size_t kEventWords = 4 + kIdSize / sizeof(Word);
constexpr Word kLoopBit = 0x8000'0000;  ///< In the number of targets.

/// Reads the words in order; which there are is the caller's to know.
class Words {
public:
  explicit Words(std::string_view bytes) : bytes_(bytes) {}

  std::size_t left() const { return bytes_.size() / sizeof(Word); }

  Word next() { return load_little<Word>(take(sizeof(Word))); }

  Uuid id() {
    Uuid id;
    std::memcpy(id.bytes.data(), take(kIdSize), kIdSize);
    return id;
  }

private:
  const char* take(std::size_t size) {
    const char* const at = bytes_.data();
    bytes_.remove_prefix(size);
    return at;
  }

  std::string_view bytes_;
};

void append_word(std::string& words, std::size_t value) {
  std::array<char, sizeof(Word)> bytes{};
  store_little(bytes.data(), static_cast<Word>(value));
  words.append(bytes.data(), bytes.size());
}

/// Of the words of all events, in bytes.
std::size_t words_size(const LinkRouted& routed) {
  return (routed.events.size() * kEventWords + routed.targets.size()) * sizeof(Word);
}

/// The words of all events, which lie behind `start`.
std::string words_of(const LinkRouted& routed, const char* start) {
  std::string words;
  words.reserve(words_size(routed));
  for (const RoutedEvent& event : routed.events) {
    CONGA_CHECK(event.id_text.size() == Uuid::kTextSize, "a routed event's id is known");
    append_word(words, static_cast<std::size_t>(event.event.data() - start));
    append_word(words, event.event.size());
    append_word(words, static_cast<std::size_t>(event.id_text.data() - event.event.data()));
    append_word(words, event.target_count | (event.loop ? kLoopBit : 0));
    words.append(reinterpret_cast<const char*>(event.id.bytes.data()), kIdSize);
    for (const std::uint32_t target : routed.targets_of(event)) append_word(words, target);
  }
  return words;
}

/// False: it does not fit the bytes that are there.
bool take_routed_event(Words& words, std::string_view events, LinkRouted& routed) {
  if (words.left() < kEventWords) return false;
  const Word start = words.next();
  const Word size = words.next();
  const Word id_at = words.next();
  const Word targets = words.next();
  const bool inside = start <= events.size() && size <= events.size() - start;
  if (!inside || size < Uuid::kTextSize || id_at > size - Uuid::kTextSize) return false;
  RoutedEvent event;
  event.event = events.substr(start, size);
  event.id_text = event.event.substr(id_at, Uuid::kTextSize);
  event.id = words.id();
  event.loop = (targets & kLoopBit) != 0;
  event.first_target = static_cast<std::uint32_t>(routed.targets.size());
  event.target_count = targets & ~kLoopBit;
  if (words.left() < event.target_count) return false;
  for (Word at = 0; at < event.target_count; ++at) routed.targets.push_back(words.next());
  routed.events.push_back(event);
  return true;
}

/// The last `size` bytes of `body`, which are taken off it; nothing: there are not so many.
std::optional<std::string_view> take_last(std::string_view& body, std::size_t size) {
  if (size > body.size()) return std::nullopt;
  const std::string_view last = body.substr(body.size() - size);
  body.remove_suffix(size);
  return last;
}

}  // namespace

std::string encode(const LinkTable& table) {
  std::string body;
  Packer packer(body);
  const bool plain = table.expectations.empty() && table.archives.empty();
  packer.array(plain ? 3 : 5).unsigned_integer(table.boot).unsigned_integer(table.generation);
  packer.array(table.targets.size());
  for (const LinkTarget& target : table.targets) pack(packer, target);
  if (plain) return body;
  packer.array(table.expectations.size());
  for (const LinkExpectation& expectation : table.expectations) pack(packer, expectation);
  packer.array(table.archives.size());
  for (const LinkArchive& archive : table.archives) pack(packer, archive);
  return body;
}

std::string encode(const LinkAlive& alive) {
  std::string body;
  Packer packer(body);
  packer.array(4).unsigned_integer(alive.boot).unsigned_integer(alive.forwarder_boot);
  packer.unsigned_integer(alive.generation).unsigned_integer(alive.accepted);
  return body;
}

void LinkRouted::add(RoutedEvent event, std::span<const std::uint32_t> of_it) {
  event.first_target = static_cast<std::uint32_t>(targets.size());
  event.target_count = static_cast<std::uint32_t>(of_it.size());
  targets.insert(targets.end(), of_it.begin(), of_it.end());
  events.push_back(event);
}

void LinkRouted::clear() {
  events.clear();
  targets.clear();
}

std::string encode_behind(std::string events, const LinkRouted& routed) {
  const std::string words = words_of(routed, events.data());
  std::string head;
  Packer packer(head);
  packer.array(6).unsigned_integer(routed.boot).unsigned_integer(routed.generation);
  packer.unsigned_integer(routed.sequence).string(routed.client);
  packer.unsigned_integer(routed.events.size()).unsigned_integer(words.size() / sizeof(Word));
  events.append(words).append(head);
  append_word(events, head.size());
  return events;
}

std::string encode(const LinkRouted& routed) {
  std::size_t size = 0;
  for (const RoutedEvent& event : routed.events) size += event.event.size();
  std::string body;
  body.reserve(size + words_size(routed) + kRoutedHeadLimits.max_size);
  LinkRouted packed = routed;
  for (RoutedEvent& event : packed.events) {
    const auto id_at = static_cast<std::size_t>(event.id_text.data() - event.event.data());
    const std::size_t start = body.size();
    body += event.event;
    event.event = std::string_view(body).substr(start);
    event.id_text = event.event.substr(id_at, event.id_text.size());
  }
  return encode_behind(std::move(body), packed);
}

std::string encode(const LinkMatch& match) {
  std::string body;
  Packer packer(body);
  packer.array(5).unsigned_integer(match.boot).unsigned_integer(match.generation);
  packer.unsigned_integer(match.ticket).unsigned_integer(match.target);
  packer.array(match.events.size());
  for (const std::string_view event : match.events) packer.raw(event);
  return body;
}

std::string encode(const LinkMatched& matched) {
  std::string body;
  Packer packer(body);
  packer.array(4).unsigned_integer(matched.boot).unsigned_integer(matched.generation);
  packer.unsigned_integer(matched.ticket).array(matched.indexes.size());
  for (const std::uint32_t index : matched.indexes) packer.unsigned_integer(index);
  return body;
}

Result<LinkTable> read_table(std::string_view body) {
  const auto array = read_array(kTableTopic, body, 3, kTableLimits);
  if (!array) return array.failure();
  Fields fields(*array);
  const auto boot = fields.next().uint64();
  const auto generation = fields.next().uint64();
  const Value targets = fields.next();
  if (!boot || !generation || !targets.is_array()) {
    return malformed(kTableTopic, "must be [boot, generation, [target…]]");
  }
  LinkTable table{.boot = *boot, .generation = *generation, .targets = {}};
  table.targets.reserve(targets.size());
  for (const Value value : targets.elements()) {
    auto target = read_target(value);
    if (!target) return target.failure();
    table.targets.push_back(std::move(*target));
  }
  for (const Value value : fields.next().elements()) {
    auto expectation = read_expectation(value);
    if (!expectation) return expectation.failure();
    table.expectations.push_back(std::move(*expectation));
  }
  for (const Value value : fields.next().elements()) {
    auto archive = read_link_archive(value);
    if (!archive) return archive.failure();
    table.archives.push_back(std::move(*archive));
  }
  return table;
}

Result<LinkAlive> read_alive(std::string_view body) {
  const auto array = read_array(kAliveTopic, body, 4, kAliveLimits);
  if (!array) return array.failure();
  Fields fields(*array);
  const auto boot = fields.next().uint64();
  const auto forwarder_boot = fields.next().uint64();
  const auto generation = fields.next().uint64();
  const auto accepted = fields.next().uint64();
  if (!boot || !forwarder_boot || !generation || !accepted) {
    return malformed(kAliveTopic, "must be [boot, forwarder boot, generation, accepted]");
  }
  return LinkAlive{.boot = *boot,
                   .forwarder_boot = *forwarder_boot,
                   .generation = *generation,
                   .accepted = *accepted};
}

Result<LinkRouted> read_routed(std::string_view body) {
  const auto head_size = take_last(body, sizeof(Word));
  const auto head = head_size ? take_last(body, load_little<Word>(head_size->data()))
                              : std::optional<std::string_view>();
  if (!head) return malformed(kRoutedTopic, "it is cut short");
  const auto array = read_array(kRoutedTopic, *head, 6, kRoutedHeadLimits);
  if (!array) return array.failure();
  Fields fields(*array);
  const auto boot = fields.next().uint64();
  const auto generation = fields.next().uint64();
  const auto sequence = fields.next().uint64();
  const auto client = fields.next().string();
  const auto count = fields.next().uint64();
  const auto word_count = fields.next().uint64();
  if (!boot || !generation || !sequence || !client || !count || !word_count) {
    return malformed(kRoutedTopic, "must be [boot, generation, sequence, client, events, words]");
  }
  const bool fits = *count <= *word_count && *word_count <= body.size() / sizeof(Word);
  const auto bytes =
      fits ? take_last(body, *word_count * sizeof(Word)) : std::optional<std::string_view>();
  if (!bytes) return malformed(kRoutedTopic, "there are fewer words than it says");
  LinkRouted routed{
      .boot = *boot, .generation = *generation, .sequence = *sequence, .client = *client};
  routed.events.reserve(*count);
  routed.targets.reserve(*word_count - std::min(*word_count, *count * kEventWords));
  Words words(*bytes);
  for (std::uint64_t at = 0; at < *count; ++at) {
    if (!take_routed_event(words, body, routed)) {
      return malformed(kRoutedTopic, "an event's words do not fit its bytes");
    }
  }
  if (words.left() > 0) return malformed(kRoutedTopic, "words are left over behind the events");
  return routed;
}

Result<LinkMatch> read_match(std::string_view body, const ValueLimits& limits) {
  // As in read_routed(): a batch, of which each event keeps to the limits.
  const ValueLimits around{.max_size = body.size(), .max_depth = limits.max_depth + 2};
  const auto array = read_array(kMatchTopic, body, 5, around);
  if (!array) return array.failure();
  Fields fields(*array);
  const auto boot = fields.next().uint64();
  const auto generation = fields.next().uint64();
  const auto ticket = fields.next().uint64();
  const auto target = index_in(fields.next());
  const Value events = fields.next();
  if (!boot || !generation || !ticket || !target || !events.is_array()) {
    return malformed(kMatchTopic, "must be [boot, generation, ticket, target, [event…]]");
  }
  LinkMatch match{
      .boot = *boot, .generation = *generation, .ticket = *ticket, .target = *target, .events = {}};
  match.events.reserve(events.size());
  for (const Value event : events.elements()) match.events.push_back(event.bytes());
  return match;
}

Result<LinkMatched> read_matched(std::string_view body) {
  const auto array = read_array(kMatchedTopic, body, 4, kMatchedLimits);
  if (!array) return array.failure();
  Fields fields(*array);
  const auto boot = fields.next().uint64();
  const auto generation = fields.next().uint64();
  const auto ticket = fields.next().uint64();
  const Value indexes = fields.next();
  if (!boot || !generation || !ticket || !indexes.is_array()) {
    return malformed(kMatchedTopic, "must be [boot, generation, ticket, [index…]]");
  }
  LinkMatched matched{.boot = *boot, .generation = *generation, .ticket = *ticket, .indexes = {}};
  for (const Value value : indexes.elements()) {
    const auto index = index_in(value);
    const bool ascends = index && (matched.indexes.empty() || *index > matched.indexes.back());
    if (!ascends) return malformed(kMatchedTopic, "indexes must be integers, ascending");
    matched.indexes.push_back(*index);
  }
  return matched;
}

}  // namespace conga::bus
