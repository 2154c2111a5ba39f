// SPDX-License-Identifier: Apache-2.0

#include "bus/sidecar/letter_jobs.h"

#include "bus/sidecar/answers.h"
#include "common/wire/messages.h"

#include <algorithm>
#include <utility>

namespace conga::bus {
namespace {

constexpr std::size_t kMostJobs = 16;
constexpr std::size_t kAnswersKept = 64;
constexpr std::size_t kLettersPerTurn = 200;

}  // namespace

void LetterJobs::ask(const Time& now,
                     const std::string& client,
                     std::uint64_t request,
                     Kind kind,
                     DeadLetterFilter filter) {
  for (const Answered& answered : answered_) {
    if (answered.client != client || answered.request != request) continue;
    reply_(client, answered.body);
    return;
  }
  const bool under_way = std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& job) {
    return job.client == client && job.request == request;
  });
  if (under_way) return;
  if (jobs_.size() >= kMostJobs) {
    std::string body;
    append_refusal(body, request, "Busy", "other redrives and purges are under way: ask again");
    reply_(client, body);
    return;
  }
  filter.limit = kLettersPerTurn;
  jobs_.push_back({.client = client,
                   .request = request,
                   .kind = kind,
                   .filter = std::move(filter),
                   .asked = now.wall,
                   .done = 0,
                   .refused = 0,
                   .refusal = std::nullopt});
}

Result<> LetterJobs::step() {
  if (jobs_.empty()) return {};
  Job& job = jobs_.front();
  const auto letters = letters_.list(job.filter);
  if (!letters) return letters.failure();
  bool ended = letters->size() < job.filter.limit;
  const auto worked = work(job, *letters, ended);
  if (!worked) return worked.failure();
  if (!ended) return {};
  answer(job);
  jobs_.pop_front();
  return {};
}

Result<> LetterJobs::work(Job& job, const std::vector<DeadLetter>& letters, bool& ended) {
  for (const DeadLetter& letter : letters) {
    // Numbers ascend, so all that follow came later too: a poison event that is redriven and comes
    // back must not be redriven for ever.
    if (letter.at > job.asked) {
      ended = true;
      return {};
    }
    job.filter.after = letter.number;
    const auto taken = take_one(job, letter, ended);
    if (!taken) return taken.failure();
    if (job.refusal && job.refusal->code != "TargetRemoved") return {};
  }
  return {};
}

Result<> LetterJobs::take_one(Job& job, const DeadLetter& letter, bool& ended) {
  if (job.kind == Kind::Purge) {
    const auto removed = letters_.remove(letter.number);
    if (!removed) return removed.failure();
    ++job.done;
    return {};
  }
  const auto redriven = redrive_(letter);
  if (redriven) {
    ++job.done;
    redriven_.push_back(letter.number);
    return {};
  }
  const Error& error = redriven.error();
  const bool removed = error.code == "TargetRemoved";
  if (!removed && error.fault != Fault::Transient) return redriven.failure();
  job.refusal = error;
  ++job.refused;
  if (!removed) ended = true;
  return {};
}

void LetterJobs::answer(const Job& job) {
  std::string body;
  if (job.kind == Kind::Purge) {
    append_answer(body, job.request, purge_answer(job.done));
  } else if (job.done == 0 && job.refusal) {
    append_refusal(body, job.request, job.refusal->code, job.refusal->what);
  } else {
    append_answer(body, job.request, redrive_answer(job.done, job.refused));
  }
  reply_(job.client, body);
  answered_.push_back({.client = job.client, .request = job.request, .body = std::move(body)});
  if (answered_.size() > kAnswersKept) answered_.pop_front();
}

Result<> LetterJobs::remove_redriven() {
  for (const std::uint64_t number : redriven_) {
    const auto removed = letters_.remove(number);
    if (!removed) return removed.failure();
  }
  redriven_.clear();
  return letters_.sync();
}

}  // namespace conga::bus
