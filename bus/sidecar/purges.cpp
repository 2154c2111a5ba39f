// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/purges.h"

#include "bus/sidecar/answers.h"
#include "common/wire/messages.h"

#include <algorithm>
#include <vector>

namespace conga::bus {
namespace {

constexpr std::size_t kMostPurges = 16;
constexpr std::size_t kAnswersKept = 64;
constexpr std::size_t kLettersPerTurn = 200;

}  // namespace

void Purges::ask(const Time& now,
                 const std::string& client,
                 std::uint64_t request,
                 DeadLetterFilter filter) {
  for (const Answered& answered : answered_) {
    if (answered.client != client || answered.request != request) continue;
    reply_(client, answered.body);
    return;
  }
  const bool under_way = std::any_of(purges_.begin(), purges_.end(), [&](const Purge& purge) {
    return purge.client == client && purge.request == request;
  });
  if (under_way) return;
  if (purges_.size() >= kMostPurges) {
    std::string body;
    append_refusal(body, request, "Busy", "other purges are under way: ask again");
    reply_(client, body);
    return;
  }
  filter.limit = kLettersPerTurn;
  purges_.push_back({.client = client,
                     .request = request,
                     .filter = std::move(filter),
                     .asked = now.wall,
                     .done = 0});
}

Result<> Purges::step() {
  if (purges_.empty()) return {};
  Purge& purge = purges_.front();
  const auto letters = letters_.list(purge.filter);
  if (!letters) return letters.failure();
  bool ended = letters->size() < purge.filter.limit;
  for (const DeadLetter& letter : *letters) {
    // Numbers ascend, so all that follow came later too.
    ended = ended || letter.at > purge.asked;
    if (letter.at > purge.asked) break;
    purge.filter.after = letter.number;
    if (auto removed = letters_.remove(letter.number); !removed) return removed;
    ++purge.done;
  }
  if (!ended) return {};
  answer(purge);
  purges_.pop_front();
  return {};
}

void Purges::answer(const Purge& purge) {
  std::string body;
  append_answer(body, purge.request, purge_answer(purge.done));
  reply_(purge.client, body);
  answered_.push_back({.client = purge.client, .request = purge.request, .body = std::move(body)});
  if (answered_.size() > kAnswersKept) answered_.pop_front();
}

}  // namespace conga::bus
