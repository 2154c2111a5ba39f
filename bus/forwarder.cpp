// SPDX-License-Identifier: Apache-2.0

#include "bus/forwarder.h"

#include "common/core/check.h"
#include "common/core/version.h"
#include "common/wire/event/packer.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <iterator>
#include <utility>

namespace conga::bus {
namespace {

/// A body of the turn is sent when it is this big.
constexpr std::size_t kFrameSize = std::size_t{256} * 1024;

/// How often a reload under way is looked at.
constexpr Duration kReloadPoll = std::chrono::milliseconds(5);

/// What the sidecar may have published as it is.
constexpr std::array<std::string_view, 3> kRelayed{"put-result/", "deliver/", "answer/"};

void append_result(std::string& results,
                   const Uuid& id,
                   std::string_view code = {},
                   std::string_view message = {}) {
  append(
      results,
      PutResult{.event_id = id.text(), .code = std::string(code), .message = std::string(message)});
}

struct Hello {
  std::vector<std::string_view> topics;
  std::uint64_t nonce = 0;
};

/// Nothing if the arguments are not those of a hello.
std::optional<Hello> read_hello(const Value& arguments, std::string_view answer_topic) {
  const auto topics = arguments.find("topics");
  const auto nonce = arguments.find("nonce");
  if (!topics || !topics->is_array() || !nonce || !nonce->uint64()) return std::nullopt;
  Hello hello{.topics = {}, .nonce = *nonce->uint64()};
  bool hears_answers = false;
  for (const Value element : topics->elements()) {
    const auto topic = element.string();
    if (!topic) return std::nullopt;
    hears_answers = hears_answers || *topic == answer_topic;
    hello.topics.push_back(*topic);
  }
  if (!hears_answers) return std::nullopt;
  return hello;
}

/// What the keeper says about rules is about wrong rules, unless it has a word of its own for it.
std::string_view code_of(const Error& error) {
  const bool own = error.code == "NotFound" || error.code == "DryRun" || error.code == "NotKept";
  return own ? std::string_view(error.code) : "InvalidRules";
}

tl::unexpected<Error> invalid(std::string_view what) {
  return fail(Fault::Permanent, std::string(what), "InvalidArguments");
}

/// Of `rules.apply` and `rules.rollback`.
Result<RulesChange> read_change(const AskView& ask) {
  RulesChange change;
  const auto text = ask.arguments.find("text");
  const auto version = ask.arguments.find("version");
  const auto by = ask.arguments.find("by");
  const auto dry_run = ask.arguments.find("dry-run");
  if (by) change.by = by->string().value_or("");
  if (dry_run) change.dry_run = dry_run->boolean().value_or(false);
  if (ask.verb == "rules.rollback") {
    const auto number = version ? version->uint64() : std::nullopt;
    if (!number || *number == 0) return invalid("version must be the number of a version");
    change.version = *number;
    return change;
  }
  const auto rules = text ? text->string() : std::nullopt;
  if (!rules) return invalid("text must be the text of a rules file");
  change.text = *rules;
  return change;
}

}  // namespace

Forwarder::Forwarder(ForwarderOptions options,
                     RuleSet rules,
                     std::unique_ptr<RulesKeeper> keeper,
                     Log& log)
    : options_(std::move(options)),
      rules_(std::move(rules)),
      keeper_(std::move(keeper)),
      log_(log),
      clients_(options_.name_silence),
      link_(options_.boot, options_.link) {
  CONGA_CHECK(options_.boot != 0, "a boot number is never 0");
  prepare_for_rules();
}

/// What is known of the rules before an event comes.
void Forwarder::prepare_for_rules() {
  matches_.assign(rules_.rules().size(), 0);
  topics_.clear();
  for (const std::string& name : rules_.topics()) topics_.push_back(routed_topic(name));
}

void Forwarder::on_frame(const Time& now, Frame& frame) {
  frame.channel == Channel::Link ? on_link_frame(now, frame) : on_client_frame(now, frame);
}

void Forwarder::on_client_frame(const Time& now, Frame& frame) {
  const auto topic = parse_topic(frame.topic);
  if (!topic) return complain_malformed(now, frame.topic, "is no topic of the protocol");
  switch (topic->kind) {
    case TopicKind::Put:
      if (topic->first == kSidecarClient) {
        return complain_malformed(now, frame.topic, "is the sidecar's own name");
      }
      clients_.heard_of(now, topic->first);
      return on_put(now, topic->first, frame.body);
    case TopicKind::Ready:
      return on_ready(now, *topic, frame);
    case TopicKind::Settle:
      clients_.heard_of(now, topic->second);
      return send(Channel::Link, std::move(frame.topic), std::move(frame.body));
    case TopicKind::Ask:
      return on_ask(now, topic->first, frame.body);
    case TopicKind::PutResult:
    case TopicKind::Deliver:
    case TopicKind::Answer:
    case TopicKind::Event:
    case TopicKind::Topic:
      return complain_malformed(now, frame.topic, "is for the bus to send, not for clients");
  }
}

void Forwarder::on_put(const Time& now, std::string_view client, std::string& put) {
  std::string_view body = put;
  if (body.empty()) return complain_malformed(now, put_topic(client), "has an empty body");
  ++counters_.puts;
  std::string& results = gather(results_, client);
  while (!body.empty()) {
    const std::string_view rest = body;
    const auto event = take_event(body, options_.event);
    if (event && is_reserved(*event, client)) {
      refuse_reserved(*event, results);
    } else if (event) {
      on_event(*event, results);
    } else {
      refuse(rest.substr(0, rest.size() - body.size()), event.error(), results);
    }
  }
  send_batch(now, client, put);
}

/// Where to append for `topic` in this turn; a body that is big enough is sent first.
std::string& Forwarder::gather(Bodies& bodies, std::string_view topic) {
  auto found = bodies.find(topic);
  if (found == bodies.end()) found = bodies.emplace(topic, std::string()).first;
  if (found->second.size() >= kFrameSize) {
    const std::string prefix = &bodies == &results_ ? put_result_topic(topic) : std::string(topic);
    send(channel_to(topic), prefix, std::exchange(found->second, {}));
  }
  return found->second;
}

/// The sidecar is a client that is reached over the link.
Channel Forwarder::channel_to(std::string_view client) {
  return client == kSidecarClient ? Channel::Link : Channel::Subscribe;
}

/// Sends what the turn has gathered.
void Forwarder::send_gathered() {
  for (auto& [topic, events] : published_) send(Channel::Subscribe, topic, std::move(events));
  published_.clear();
  for (auto& [client, results] : results_) {
    if (!results.empty()) send(channel_to(client), put_result_topic(client), std::move(results));
  }
  results_.clear();
}

void Forwarder::refuse(std::string_view bytes, const Error& error, std::string& results) {
  ++counters_.refused;
  const auto id = event_id_of(bytes, options_.event);
  append(results,
         PutResult{.event_id = id ? id->text() : "", .code = error.code, .message = error.what});
}

/// As Amazon EventBridge keeps `aws.` for itself: nobody else may say that a delivery failed.
bool Forwarder::is_reserved(const EventView& event, std::string_view client) {
  return event.source.starts_with(kOwnSourcePrefix) && client != kSidecarClient;
}

void Forwarder::refuse_reserved(const EventView& event, std::string& results) {
  ++counters_.refused;
  append_result(results,
                event.id,
                "ReservedSource",
                "source '" + std::string(event.source)
                    + "': sources that begin with 'conga.' are the bus's own; choose another name");
}

void Forwarder::on_event(const EventView& event, std::string& results) {
  rules_.match(event, routing_);
  for (const std::uint32_t rule : routing_.rules) ++matches_[rule];
  // Nobody needs to want the bus's own events.
  const bool unwanted = routing_.rules.empty() && !event.source.starts_with(kOwnSourcePrefix);
  if (unwanted) ++counters_.unmatched_events;
  if (!routing_.rules.empty()) ++counters_.matched;
  counters_.put_sizes.observe(static_cast<std::int64_t>(event.bytes.size()));
  const bool loop = event.hops > options_.max_hops;
  const bool durable =
      !routing_.targets.empty() || !routing_.expectations.empty() || !routing_.archives.empty();
  const bool topic_only = !loop && !durable && !routing_.topics.empty();
  const bool open =
      link_.state() == LinkGate::State::Open || link_.state() == LinkGate::State::Full;
  if (draining_ || (!topic_only && !open)) return answer_unavailable(event, results);
  ++counters_.accepted;
  if (topic_only) {
    ++counters_.topic_only;
    append_put_ok(results, event.id_text);
  } else {
    if (unwanted) ++counters_.unmatched;
    pass_on(event, loop);
  }
  if (!loop) publish_topics(event);
  if (audience_.has_taps()) tap(event);
}

void Forwarder::pass_on(const EventView& event, bool loop) {
  if (loop) ++counters_.loops;
  const auto behind_targets = static_cast<std::uint32_t>(rules_.targets().size());
  for (const std::uint32_t mark : routing_.expectations) {
    routing_.targets.push_back(behind_targets + mark);
  }
  const auto behind_marks =
      behind_targets + 2 * static_cast<std::uint32_t>(rules_.expectations().size());
  for (const std::uint32_t archive : routing_.archives) {
    routing_.targets.push_back(behind_marks + archive);
  }
  batch_.add({.event = event.bytes, .id_text = event.id_text, .id = event.id, .loop = loop},
             routing_.targets);
  batch_bytes_ += event.bytes.size();
}

void Forwarder::answer_unavailable(const EventView& event, std::string& results) {
  ++counters_.unavailable;
  std::string_view why = "the sidecar does not answer; put the event again later";
  if (link_.state() == LinkGate::State::Stuck) {
    why = "the sidecar does not keep up; put the event again later";
  }
  if (draining_) why = "the bus is shutting down; put the event again later";
  append_result(results, event.id, "Unavailable", why);
}

void Forwarder::publish_topics(const EventView& event) {
  for (const std::uint32_t position : routing_.topics) {
    const std::string& topic = topics_[position];
    if (!audience_.overhears(topic)) {
      ++counters_.unheard;
      continue;
    }
    ++counters_.published;
    gather(published_, topic) += event.bytes;
  }
}

void Forwarder::tap(const EventView& event) {
  std::string topic = event_topic(event.source, event.detail_type);
  if (!audience_.overhears(topic)) return;
  ++counters_.tapped;
  gather(published_, topic) += event.bytes;
}

/// What was put goes on as it is, unless much of it is for nobody.
void Forwarder::send_batch(const Time& now, std::string_view client, std::string& put) {
  if (batch_.events.empty()) return;
  const bool most = batch_bytes_ >= put.size() - put.size() / 4;
  batch_.boot = options_.boot;
  batch_.generation = generation_;
  batch_.sequence = link_.send(now, most ? put.size() : batch_bytes_);
  batch_.client = client;
  send(Channel::Link,
       std::string(kRoutedTopic),
       most ? encode_behind(std::move(put), batch_) : encode(batch_));
  batch_.clear();
  batch_bytes_ = 0;
}

void Forwarder::on_ready(const Time& now, const Topic& topic, Frame& frame) {
  clients_.heard_of(now, topic.second);
  std::string_view rest = frame.body;
  const auto ready = take_ready(rest);
  if (!ready) return complain_malformed(now, frame.topic, ready.error().what);
  if (!audience_.listens(deliver_topic(topic.first, topic.second))) {
    ++counters_.unannounced;
    return;
  }
  send(Channel::Link, std::move(frame.topic), std::move(frame.body));
}

void Forwarder::on_ask(const Time& now, std::string_view client, std::string_view body) {
  std::string answers;
  std::string forwarded;
  while (!body.empty()) {
    const std::string_view rest = body;
    const auto ask = take_ask(body, options_.event);
    if (!ask) {
      complain_malformed(now, ask_topic(client), ask.error().what);
      continue;
    }
    ++counters_.asks;
    if (ask->verb != "hello") clients_.heard_of(now, client);
    if (answer(now, client, *ask, answers)) continue;
    forwarded += rest.substr(0, rest.size() - body.size());
  }
  if (!forwarded.empty()) send(Channel::Link, ask_topic(client), std::move(forwarded));
  if (!answers.empty()) send(Channel::Subscribe, answer_topic(client), std::move(answers));
}

/// False: it is for the sidecar to answer.
bool Forwarder::answer(const Time& now,
                       std::string_view client,
                       const AskView& ask,
                       std::string& answers) {
  if (ask.verb == "hello") {
    answer_hello(now, client, ask, answers);
  } else if (ask.verb == "bus.status") {
    append_answer(answers, ask.request, status(now));
  } else if (ask.verb == "rules.list") {
    append_answer(answers, ask.request, list_rules());
  } else if (ask.verb == "rules.reload") {
    ask_reload(now, RulesWaiter{.client = std::string(client), .request = ask.request});
  } else if (ask.verb == "rules.apply" || ask.verb == "rules.rollback") {
    ask_change(now, client, ask, answers);
  } else if (ask.verb == "rules.versions") {
    answer_versions(ask, answers);
  } else if (link_.state() == LinkGate::State::Down) {
    append_refusal(answers, ask.request, "Unavailable", "the sidecar does not answer");
  } else {
    return false;
  }
  return true;
}

/// Silent while a subscription is still on its way: the client asks again.
void Forwarder::answer_hello(const Time& now,
                             std::string_view client,
                             const AskView& ask,
                             std::string& answers) {
  const auto hello = read_hello(ask.arguments, answer_topic(client));
  if (!hello) {
    return append_refusal(answers,
                          ask.request,
                          "InvalidArguments",
                          "hello needs {\"topics\": [text…], \"nonce\": integer}, and the topics "
                          "must name answer/"
                              + std::string(client));
  }
  const bool all = std::ranges::all_of(
      hello->topics, [&](std::string_view topic) { return audience_.listens(topic); });
  if (!all) return;
  if (client == kSidecarClient || !clients_.greet(now, client, hello->nonce)) {
    return append_refusal(answers,
                          ask.request,
                          "NameTaken",
                          "another process is connected as '" + std::string(client)
                              + "': choose a name of its own for each process");
  }
  std::string result;
  Packer(result)
      .map(3)
      .key("bus")
      .string(options_.name)
      .key("version")
      .string(kVersion)
      .key("boot")
      .unsigned_integer(options_.boot);
  append_answer(answers, ask.request, result);
}

/// A reload that is asked for during another begins after it: it may be about newer files.
void Forwarder::ask_reload(const Time& now, std::optional<RulesWaiter> waiter) {
  const bool waits = rules_jobs_.size() > 1 && !rules_jobs_.back().change;
  if (!waits) rules_jobs_.push_back({});
  if (waiter) rules_jobs_.back().waiters.push_back(std::move(*waiter));
  if (loading_.valid()) return;
  begin_rules_job();
  finish_rules_jobs(now);
}

void Forwarder::ask_change(const Time& now,
                           std::string_view client,
                           const AskView& ask,
                           std::string& answers) {
  const auto asks_again = [&](const RulesWaiter& waiter) {
    return waiter.client == client && waiter.request == ask.request;
  };
  for (const RulesJob& job : rules_jobs_) {
    if (std::ranges::any_of(job.waiters, asks_again)) return;
  }
  auto change = read_change(ask);
  if (!change) {
    return append_refusal(answers, ask.request, change.error().code, change.error().what);
  }
  change->at = now.wall;
  rules_jobs_.push_back({.change = std::move(*change),
                         .waiters = {{.client = std::string(client), .request = ask.request}}});
  if (loading_.valid()) return;
  begin_rules_job();
  finish_rules_jobs(now);
}

void Forwarder::begin_rules_job() {
  std::optional<RulesChange>& change = rules_jobs_.front().change;
  loading_ = change ? keeper_->change(std::move(*change)) : keeper_->load();
}

/// If the rules are there: they are used from now on, or their faults told.
void Forwarder::finish_rules_jobs(const Time& now) {
  look_at_.reset();
  while (loading_.valid()) {
    if (loading_.wait_for(std::chrono::seconds(0)) == std::future_status::timeout) {
      look_at_ = now.steady + kReloadPoll;
      return;
    }
    const bool changes = rules_jobs_.front().change.has_value();
    const Result<> adopted = adopt(now, loading_.get(), changes);
    for (const RulesWaiter& waiter : rules_jobs_.front().waiters) answer_rules(waiter, adopted);
    rules_jobs_.pop_front();
    if (!rules_jobs_.empty()) begin_rules_job();
  }
}

void Forwarder::answer_versions(const AskView& ask, std::string& answers) {
  const auto wanted = ask.arguments.find("version");
  const auto number = wanted ? wanted->uint64() : std::optional<std::uint64_t>(0);
  if (!number) {
    return append_refusal(
        answers, ask.request, "InvalidArguments", "version must be the number of a version");
  }
  const auto versions = keeper_->versions(*number);
  if (versions) {
    append_answer(answers, ask.request, *versions);
  } else {
    append_refusal(answers, ask.request, code_of(versions.error()), versions.error().what);
  }
}

void Forwarder::answer_rules(const RulesWaiter& waiter, const Result<>& adopted) {
  std::string answer;
  if (adopted) {
    std::string result;
    Packer(result)
        .map(2)
        .key("generation")
        .unsigned_integer(generation_)
        .key("rules")
        .unsigned_integer(rules_.rules().size());
    append_answer(answer, waiter.request, result);
  } else {
    append_refusal(answer, waiter.request, code_of(adopted.error()), adopted.error().what);
  }
  send(Channel::Subscribe, answer_topic(waiter.client), std::move(answer));
}

void Forwarder::on_link_frame(const Time& now, Frame& frame) {
  const auto starts = [&](std::string_view prefix) { return frame.topic.starts_with(prefix); };
  if (std::ranges::any_of(kRelayed, starts)) {
    if (starts("deliver/") && !audience_.listens(frame.topic)) return return_delivery(frame.topic);
    ++counters_.relayed;
    return send(Channel::Subscribe, std::move(frame.topic), std::move(frame.body));
  }
  if (frame.topic == kSidecarPutTopic) return on_put(now, kSidecarClient, frame.body);
  if (frame.topic == kMatchTopic) return on_match(now, frame.body);
  if (frame.topic != kAliveTopic) {
    return complain_malformed(now, frame.topic, "is not for the sidecar to send");
  }
  const auto alive = read_alive(frame.body);
  if (!alive) return complain_malformed(now, frame.topic, alive.error().what);
  if (link_.on_alive(now, *alive, generation_)) {
    send(Channel::Link, std::string(kTableTopic), table_body());
  }
}

/// What the journal holds is for a target that was added later: the sidecar has no rules.
void Forwarder::on_match(const Time& now, std::string_view body) {
  const auto match = read_match(body, options_.event);
  if (!match) return complain_malformed(now, kMatchTopic, match.error().what);
  if (match->boot != options_.boot || match->generation != generation_) return;
  LinkMatched matched{
      .boot = match->boot, .generation = match->generation, .ticket = match->ticket, .indexes = {}};
  for (std::uint32_t index = 0; index < match->events.size(); ++index) {
    const auto event = read_event(match->events[index], options_.event);
    if (!event || event->hops > options_.max_hops) continue;
    rules_.match(*event, routing_);
    if (std::ranges::find(routing_.targets, match->target) != routing_.targets.end()) {
      matched.indexes.push_back(index);
    }
  }
  send(Channel::Link, std::string(kMatchedTopic), encode(matched));
}

/// After a restart of the bus the sidecar may know an instance that has not subscribed again yet.
/// Without this its delivery would be missed only at the ack-timeout.
void Forwarder::return_delivery(std::string_view topic) {
  ++counters_.unreachable;
  tell_gone(topic);
}

void Forwarder::tell_gone(std::string_view deliver_topic) {
  constexpr std::string_view kDeliver = "deliver/";
  std::string gone(kGonePrefix);
  gone.append(deliver_topic.substr(kDeliver.size()));
  send(Channel::Link, std::move(gone), {});
}

std::string Forwarder::table_body() const {
  LinkTable table{.boot = options_.boot, .generation = generation_, .targets = rules_.targets()};
  for (const RuleSet::Expectation& each : rules_.expectations()) {
    table.expectations.push_back(each.link);
  }
  for (const RuleSet::Archive& each : rules_.archives()) table.archives.push_back(each.link);
  return encode(table);
}

void Forwarder::on_presence(const Time& /*now*/, const Presence& presence) {
  audience_.set(presence.topic, presence.present);
  const auto topic = presence.present ? std::nullopt : parse_topic(presence.topic);
  if (!topic) return;
  if (topic->kind == TopicKind::Answer) clients_.release(topic->first);
  if (topic->kind == TopicKind::Deliver) tell_gone(presence.topic);
}

void Forwarder::on_time(const Time& now) {
  if (!started_) loaded_ = started_.emplace(now.wall);
  log_.on_time(now);
  link_.advance(now);
  finish_rules_jobs(now);
  const bool up = link_.state() != LinkGate::State::Down;
  if (std::exchange(linked_, up) == up) return;
  up ? log_.info("the sidecar is there")
     : log_.warning("the sidecar does not answer: durable events are refused as Unavailable");
}

std::optional<SteadyTime> Forwarder::wake_at() const {
  const auto link = link_.wake_at();
  if (!link || !look_at_) return link ? link : look_at_;
  return std::min(*link, *look_at_);
}

Result<> Forwarder::commit(const Time& /*now*/, std::vector<Frame>& out) {
  send_gathered();
  std::ranges::move(out_, std::back_inserter(out));
  out_.clear();
  return {};
}

bool Forwarder::accepts(Channel channel) const {
  return channel != Channel::Publish || link_.state() != LinkGate::State::Full;
}

void Forwarder::reload(const Time& now) {
  ask_reload(now, std::nullopt);
}

Result<> Forwarder::adopt(const Time& now, Result<RuleSet> rules, bool changes) {
  // A change that is refused has changed nothing: what is in the file is as right as it was.
  if (!rules && changes) return rules.failure();
  if (!rules) {
    rules_fault_ = rules.error().what;
    log_.error("the rules are not reloaded, the last good ones stay: " + rules_fault_);
    return rules.failure();
  }
  rules_fault_.clear();
  loaded_ = now.wall;
  rules_ = std::move(*rules);
  prepare_for_rules();
  ++generation_;
  log_.info("the rules are reloaded: " + std::to_string(rules_.rules().size()) + " rules");
  if (link_.state() == LinkGate::State::Down) return {};
  link_.on_table_sent(now);
  send(Channel::Link, std::string(kTableTopic), table_body());
  return {};
}

void Forwarder::drain(const Time& /*now*/) {
  draining_ = true;
}

bool Forwarder::drained() const {
  return link_.is_empty() || link_.state() == LinkGate::State::Down;
}

void Forwarder::send(Channel channel, std::string topic, std::string body) {
  out_.push_back({.channel = channel, .topic = std::move(topic), .body = std::move(body)});
}

void Forwarder::complain_malformed(const Time& now, std::string_view topic, std::string_view why) {
  constexpr std::size_t kMaxShown = 80;
  ++counters_.malformed;
  std::string shown(topic.substr(0, kMaxShown));
  std::ranges::replace_if(
      shown, [](char letter) { return letter < ' ' || letter > '~'; }, '?');
  log_.complain(now,
                "malformed",
                "a frame is dropped: its topic or body is not valid",
                {{"topic", shown}, {"why", why}});
}

}  // namespace conga::bus
