// SPDX-License-Identifier: Apache-2.0

#include "tests/simulation/mutants.h"

#include "common/wire/event/event.h"
#include "common/wire/messages.h"

#include <utility>

namespace conga::simulation {
namespace {

class WithoutInbox final : public NodeWrapper {
public:
  WithoutInbox(std::unique_ptr<Node> inner, kit::Database& database)
      : NodeWrapper(std::move(inner)), database_(database) {}

  Result<> commit(const Time& now, std::vector<Frame>& out) override {
    auto committed = NodeWrapper::commit(now, out);
    if (!committed) return committed;
    const auto forgotten = database_.run("DELETE FROM inbox");
    return forgotten ? Result<>() : forgotten.failure();
  }

private:
  kit::Database& database_;
};

class WithoutResend final : public NodeWrapper {
public:
  WithoutResend(std::unique_ptr<Node> inner, std::set<std::string>& put)
      : NodeWrapper(std::move(inner)), put_(put) {}

  Result<> commit(const Time& now, std::vector<Frame>& out) override {
    auto committed = NodeWrapper::commit(now, out);
    for (Frame& frame : out) {
      if (frame.topic.starts_with("put/")) frame.body = only_new(frame.body);
    }
    std::erase_if(out, [](const Frame& frame) {
      return frame.topic.starts_with("put/") && frame.body.empty();
    });
    return committed;
  }

private:
  std::string only_new(std::string_view body) {
    std::string fresh;
    while (!body.empty()) {
      const auto event = take_event(body);
      if (event && put_.insert(event->id.text()).second) fresh += event->bytes;
    }
    return fresh;
  }

  std::set<std::string>& put_;
};

class SettlingEarly final : public NodeWrapper {
public:
  using NodeWrapper::NodeWrapper;

  void on_frame(const Time& now, Frame& frame) override {
    if (!frame.topic.starts_with("deliver/")) return NodeWrapper::on_frame(now, frame);
    std::string_view body = frame.body;
    std::string settled;
    while (!body.empty()) {
      const auto delivery = take_delivery(body);
      if (!delivery) continue;
      append(settled,
             Settlement{.id = delivery->id, .code = {}, .message = {}, .delay = std::nullopt});
    }
    std::string topic = "settle/" + frame.topic.substr(std::string_view("deliver/").size());
    settled_.push_back(
        {.channel = Channel::Bus, .topic = std::move(topic), .body = std::move(settled)});
    later_.push_back(std::move(frame));
  }

  std::optional<SteadyTime> wake_at() const override {
    return later_.empty() ? NodeWrapper::wake_at() : SteadyTime();
  }

  Result<> commit(const Time& now, std::vector<Frame>& out) override {
    if (settled_.empty()) {
      for (Frame& frame : later_) inner_->on_frame(now, frame);
      later_.clear();
    }
    for (Frame& frame : settled_) out.push_back(std::move(frame));
    settled_.clear();
    return NodeWrapper::commit(now, out);
  }

private:
  std::vector<Frame> settled_;
  std::vector<Frame> later_;  ///< Worked on in the next turn, if there is one.
};

class WithoutCredit final : public NodeWrapper {
public:
  using NodeWrapper::NodeWrapper;

  void on_frame(const Time& now, Frame& frame) override {
    constexpr std::uint32_t kBoundless = 10'000;
    if (frame.topic.starts_with("ready/")) {
      frame.body.clear();
      append(frame.body, Ready{.credit = kBoundless});
    }
    NodeWrapper::on_frame(now, frame);
  }
};

}  // namespace

std::unique_ptr<Node> without_inbox(std::unique_ptr<Node> service, kit::Database& database) {
  return std::make_unique<WithoutInbox>(std::move(service), database);
}

std::unique_ptr<Node> without_resend(std::unique_ptr<Node> service, std::set<std::string>& put) {
  return std::make_unique<WithoutResend>(std::move(service), put);
}

std::unique_ptr<Node> settling_early(std::unique_ptr<Node> service) {
  return std::make_unique<SettlingEarly>(std::move(service));
}

std::unique_ptr<Node> without_credit(std::unique_ptr<Node> sidecar) {
  return std::make_unique<WithoutCredit>(std::move(sidecar));
}

}  // namespace conga::simulation
