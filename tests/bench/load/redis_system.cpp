// SPDX-License-Identifier: Apache-2.0
//
// Redis Streams through hiredis: pipelined XADD; XREADGROUP and XACK. The server is told to sync
// its append-only file before every answer.

#include "tests/bench/load/systems.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <hiredis/hiredis.h>
#include <memory>
#include <poll.h>
#include <string>
#include <vector>

namespace conga::bench {
namespace {

constexpr const char* kStream = "bench";
constexpr const char* kGroup = "bench";

struct Closer {
  void operator()(redisContext* context) const { redisFree(context); }

  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

using Connection = std::unique_ptr<redisContext, Closer>;
using Reply = std::unique_ptr<redisReply, Closer>;

tl::unexpected<Error> broken(const redisContext& context) {
  return fail(Fault::Transient, std::string("redis: ") + &context.errstr[0]);
}

Result<Connection> connect(const Plan& plan) {
  const auto colon = plan.publish.rfind(':');
  const std::string host = plan.publish.substr(0, colon);
  Connection connection(redisConnect(host.c_str(), std::atoi(plan.publish.c_str() + colon + 1)));
  if (!connection) return fail(Fault::Transient, "redis: no memory");
  if (connection->err != 0) return broken(*connection);
  return connection;
}

void append(redisContext& context, const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  redisAppendCommandArgv(&context, static_cast<int>(words.size()), texts.data(), sizes.data());
}

Result<Reply> next_reply(redisContext& context) {
  void* reply = nullptr;
  if (redisGetReply(&context, &reply) != REDIS_OK) return broken(context);
  Reply owned(static_cast<redisReply*>(reply));
  if (owned->type == REDIS_REPLY_ERROR) return fail(Fault::Permanent, owned->str);
  return owned;
}

Result<> flush(redisContext& context) {
  int done = 0;
  while (done == 0) {
    if (redisBufferWrite(&context, &done) != REDIS_OK) return broken(context);
  }
  return {};
}

/// The answers that are there, or come until `until`.
Result<std::size_t> collect(redisContext& context, std::uint64_t until) {
  const std::uint64_t now = now_ns();
  const std::uint64_t wait = until > now ? until - now : 0;
  pollfd descriptor{context.fd, POLLIN, 0};
  timespec timeout{};
  timeout.tv_nsec = static_cast<long>(std::min<std::uint64_t>(wait, 999'999'999));
  if (::ppoll(&descriptor, 1, &timeout, nullptr) <= 0) return std::size_t{0};
  if (redisBufferRead(&context) != REDIS_OK) return broken(context);
  std::size_t count = 0;
  while (true) {
    void* reply = nullptr;
    if (redisGetReplyFromReader(&context, &reply) != REDIS_OK) return broken(context);
    if (reply == nullptr) return count;
    const Reply owned(static_cast<redisReply*>(reply));
    if (owned->type == REDIS_REPLY_ERROR) return fail(Fault::Permanent, owned->str);
    ++count;
  }
}

Result<> prepare(const Plan& plan) {
  auto connection = connect(plan);
  if (!connection) return connection.failure();
  append(**connection, {"DEL", kStream});
  append(**connection, {"XGROUP", "CREATE", kStream, kGroup, "0", "MKSTREAM"});
  for (int answers = 0; answers < 2; ++answers) {
    if (auto reply = next_reply(**connection); !reply) return reply.failure();
  }
  return {};
}

Result<> publish(Side& side) {
  auto connection = connect(side.plan());
  if (!connection) return connection.failure();
  redisContext& redis = **connection;
  Payload payload(side.plan().size);
  std::size_t in_flight = 0;
  side.start();
  while (!side.stopped()) {
    const std::size_t room = side.plan().window - in_flight;
    const std::size_t count = std::min({side.allowance(), room, std::size_t{256}});
    for (std::size_t at = 0; at < count; ++at) {
      append(redis, {"XADD", kStream, "*", "e", payload.stamp(now_ns())});
    }
    in_flight += count;
    side.note_put(count);
    if (count > 0) {
      if (auto flushed = flush(redis); !flushed) return flushed;
    }
    const bool full = in_flight == side.plan().window;
    const std::uint64_t until = full ? now_ns() + 100'000'000 : side.next_look();
    if (in_flight == 0) {
      if (count == 0) sleep_until(until);
      continue;
    }
    const auto answered = collect(redis, count > 0 && !full ? 0 : until);
    if (!answered) return answered.failure();
    in_flight -= *answered;
    side.note_done(*answered);
  }
  return {};
}

/// [[stream, [[id, [field, value]], …]]]
std::vector<std::string> handle(Side& side, const redisReply& reply) {
  std::vector<std::string> ids;
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements == 0) return ids;
  const redisReply& entries = *reply.element[0]->element[1];
  const std::uint64_t now = now_ns();
  for (std::size_t at = 0; at < entries.elements; ++at) {
    const redisReply& entry = *entries.element[at];
    const redisReply& value = *entry.element[1]->element[1];
    side.note_delivery(Payload::sent(value.str, value.len), now);
    ids.emplace_back(entry.element[0]->str, entry.element[0]->len);
  }
  return ids;
}

Result<> consume(Side& side) {
  auto connection = connect(side.plan());
  if (!connection) return connection.failure();
  redisContext& redis = **connection;
  const std::string count = std::to_string(side.plan().credit);
  const std::vector<std::string> read{"XREADGROUP",
                                      "GROUP",
                                      kGroup,
                                      side.name(),
                                      "COUNT",
                                      count,
                                      "BLOCK",
                                      "100",
                                      "STREAMS",
                                      kStream,
                                      ">"};
  side.start();
  std::size_t acknowledged = 0;  // In the answer that comes before the next reading's.
  while (!side.stopped()) {
    append(redis, read);
    if (acknowledged > 0) {
      if (auto reply = next_reply(redis); !reply) return reply.failure();
      side.note_done(acknowledged);
    }
    const auto reply = next_reply(redis);
    if (!reply) return reply.failure();
    const std::vector<std::string> ids = handle(side, **reply);
    acknowledged = ids.size();
    if (ids.empty()) continue;
    std::vector<std::string> words{"XACK", kStream, kGroup};
    words.insert(words.end(), ids.begin(), ids.end());
    append(redis, words);
  }
  return {};
}

}  // namespace

System redis_system() {
  return {"redis", publish, consume, prepare};
}

}  // namespace conga::bench
