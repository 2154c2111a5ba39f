// SPDX-License-Identifier: Apache-2.0
//
// nats-server through libnats: core (at most once) and JetStream (file storage, every event
// acknowledged to its publisher and by its consumer).

#include "tests/bench/load/systems.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <nats/nats.h>
#include <string>

namespace conga::bench {
namespace {

constexpr const char* kSubject = "bench.load";
constexpr const char* kGroup = "bench";
constexpr const char* kStream = "bench";

Result<> check(natsStatus status, const char* action) {
  if (status == NATS_OK) return {};
  return fail(Fault::Transient, std::string(action) + ": " + natsStatus_GetText(status));
}

struct Closer {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }

  void operator()(natsConnection* connection) const { natsConnection_Destroy(connection); }

  void operator()(natsSubscription* subscription) const { natsSubscription_Destroy(subscription); }

  void operator()(jsCtx* context) const { jsCtx_Destroy(context); }
};

template <class Handle>
using Owned = std::unique_ptr<Handle, Closer>;

/// At a fixed rate each event is sent at once; otherwise libnats gathers them, as it does unless
/// told otherwise.
Result<Owned<natsConnection>> connect(const Plan& plan) {
  natsOptions* made = nullptr;
  if (auto well = check(natsOptions_Create(&made), "nats options"); !well) return well.failure();
  const Owned<natsOptions> options(made);
  natsOptions_SetURL(options.get(), ("nats://" + plan.publish).c_str());
  natsOptions_SetSendAsap(options.get(), plan.rate > 0);
  natsOptions_SetMaxPendingMsgs(options.get(), 1'000'000);
  natsConnection* connection = nullptr;
  if (auto well = check(natsConnection_Connect(&connection, options.get()), "nats"); !well) {
    return well.failure();
  }
  return Owned<natsConnection>(connection);
}

int size_of(const std::string& bytes) {
  return static_cast<int>(bytes.size());
}

Result<> publish_core(Side& side) {
  auto connection = connect(side.plan());
  if (!connection) return connection.failure();
  Payload payload(side.plan().size);
  side.start();
  while (!side.stopped()) {
    const std::size_t count = std::min<std::size_t>(side.allowance(), 1024);
    for (std::size_t at = 0; at < count; ++at) {
      const std::string& event = payload.stamp(now_ns());
      const auto put =
          natsConnection_Publish(connection->get(), kSubject, event.data(), size_of(event));
      if (auto well = check(put, "publish"); !well) return well;
    }
    side.note_put(count);
    if (count == 0) sleep_until(side.next_look());
  }
  return {};
}

/// Called by a thread of libnats, one at a time.
void on_core_message(natsConnection* /*connection*/,
                     natsSubscription* /*subscription*/,
                     natsMsg* message,
                     void* closure) {
  Side& side = *static_cast<Side*>(closure);
  const auto size = static_cast<std::size_t>(natsMsg_GetDataLength(message));
  side.note_delivery(Payload::sent(natsMsg_GetData(message), size), now_ns());
  side.note_done(1);
  natsMsg_Destroy(message);
}

void on_stream_message(natsConnection* connection,
                       natsSubscription* subscription,
                       natsMsg* message,
                       void* closure) {
  natsMsg_Ack(message, nullptr);
  on_core_message(connection, subscription, message, closure);
}

void wait_for_end(Side& side) {
  side.start();
  while (!side.stopped()) sleep_until(now_ns() + 10'000'000);
}

Result<> consume_core(Side& side) {
  auto connection = connect(side.plan());
  if (!connection) return connection.failure();
  natsSubscription* made = nullptr;
  const auto subscribed =
      natsConnection_Subscribe(&made, connection->get(), kSubject, on_core_message, &side);
  if (auto well = check(subscribed, "subscribe"); !well) return well;
  const Owned<natsSubscription> subscription(made);
  natsSubscription_SetPendingLimits(made, -1, -1);
  if (auto well = check(natsConnection_Flush(connection->get()), "flush"); !well) return well;
  wait_for_end(side);
  return {};
}

Result<Owned<jsCtx>> stream_of(natsConnection* connection, jsOptions* options) {
  jsCtx* context = nullptr;
  const auto made = natsConnection_JetStream(&context, connection, options);
  if (auto well = check(made, "jetstream"); !well) return well.failure();
  return Owned<jsCtx>(context);
}

Result<> prepare_stream(const Plan& plan) {
  auto connection = connect(plan);
  if (!connection) return connection.failure();
  jsOptions options;
  jsOptions_Init(&options);
  auto stream = stream_of(connection->get(), &options);
  if (!stream) return stream.failure();
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  const char* subjects[] = {kSubject};
  config.Name = kStream;
  config.Subjects = static_cast<const char**>(subjects);
  config.SubjectsLen = 1;
  config.Storage = js_FileStorage;
  if (auto well = check(js_AddStream(nullptr, stream->get(), &config, nullptr, nullptr), "stream");
      !well) {
    return well;
  }
  jsConsumerConfig consumer;
  jsConsumerConfig_Init(&consumer);
  consumer.Durable = kGroup;
  consumer.DeliverSubject = "bench.deliver";
  consumer.DeliverGroup = kGroup;
  consumer.AckPolicy = js_AckExplicit;
  consumer.MaxAckPending = static_cast<std::int64_t>(plan.credit * plan.consumers);
  return check(js_AddConsumer(nullptr, stream->get(), kStream, &consumer, nullptr, nullptr),
               "consumer");
}

void on_acknowledged(
    jsCtx* /*context*/, natsMsg* message, jsPubAck* /*ack*/, jsPubAckErr* failure, void* closure) {
  if (failure == nullptr) static_cast<Side*>(closure)->note_done(1);
  natsMsg_Destroy(message);
}

Result<> publish_stream(Side& side) {
  auto connection = connect(side.plan());
  if (!connection) return connection.failure();
  jsOptions options;
  jsOptions_Init(&options);
  options.PublishAsync.MaxPending = static_cast<std::int64_t>(side.plan().window);
  options.PublishAsync.StallWait = 10'000;
  options.PublishAsync.AckHandler = on_acknowledged;
  options.PublishAsync.AckHandlerClosure = &side;
  auto stream = stream_of(connection->get(), &options);
  if (!stream) return stream.failure();
  Payload payload(side.plan().size);
  side.start();
  while (!side.stopped()) {
    const std::size_t count = std::min<std::size_t>(side.allowance(), 256);
    for (std::size_t at = 0; at < count && !side.stopped(); ++at) {
      const std::string& event = payload.stamp(now_ns());
      const auto put =
          js_PublishAsync(stream->get(), kSubject, event.data(), size_of(event), nullptr);
      if (auto well = check(put, "publish"); !well) return well;
    }
    side.note_put(count);
    if (count == 0) sleep_until(side.next_look());
  }
  return {};
}

Result<> consume_stream(Side& side) {
  auto connection = connect(side.plan());
  if (!connection) return connection.failure();
  jsOptions options;
  jsOptions_Init(&options);
  auto stream = stream_of(connection->get(), &options);
  if (!stream) return stream.failure();
  jsSubOptions wanted;
  jsSubOptions_Init(&wanted);
  wanted.Stream = kStream;
  wanted.Consumer = kGroup;
  wanted.Queue = kGroup;
  wanted.ManualAck = true;
  natsSubscription* made = nullptr;
  const auto subscribed = js_Subscribe(
      &made, stream->get(), kSubject, on_stream_message, &side, nullptr, &wanted, nullptr);
  if (auto well = check(subscribed, "subscribe"); !well) return well;
  const Owned<natsSubscription> subscription(made);
  natsSubscription_SetPendingLimits(made, -1, -1);
  wait_for_end(side);
  return {};
}

}  // namespace

System nats_system() {
  return {"nats", publish_core, consume_core, nullptr};
}

System jetstream_system() {
  return {"jetstream", publish_stream, consume_stream, prepare_stream};
}

}  // namespace conga::bench
