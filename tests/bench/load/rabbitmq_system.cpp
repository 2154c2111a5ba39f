// SPDX-License-Identifier: Apache-2.0
//
// RabbitMQ through librabbitmq: a quorum queue, publisher confirms, manual acknowledgements.

#include "tests/bench/load/systems.h"

#include <algorithm>
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <string>
#include <sys/time.h>

namespace conga::bench {
namespace {

constexpr const char* kQueue = "bench";
constexpr amqp_channel_t kChannel = 1;

struct Closer {
  void operator()(amqp_connection_state_t connection) const { amqp_destroy_connection(connection); }
};

using Connection = std::unique_ptr<std::remove_pointer_t<amqp_connection_state_t>, Closer>;

Result<> check(amqp_rpc_reply_t reply, const char* action) {
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return {};
  return fail(Fault::Transient, std::string("rabbitmq refused: ") + action);
}

Result<Connection> connect(const Plan& plan) {
  const auto colon = plan.publish.rfind(':');
  const std::string host = plan.publish.substr(0, colon);
  Connection connection(amqp_new_connection());
  amqp_socket_t* const socket = amqp_tcp_socket_new(connection.get());
  if (socket == nullptr
      || amqp_socket_open(socket, host.c_str(), std::atoi(plan.publish.c_str() + colon + 1)) != 0) {
    return fail(Fault::Transient, "rabbitmq does not answer");
  }
  constexpr int kFrame = 131072;
  auto well = check(
      amqp_login(connection.get(), "/", 0, kFrame, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
      "login");
  if (!well) return well.failure();
  amqp_channel_open(connection.get(), kChannel);
  well = check(amqp_get_rpc_reply(connection.get()), "channel");
  if (!well) return well.failure();
  return connection;
}

amqp_bytes_t bytes_of(const std::string& text) {
  return {text.size(), const_cast<char*>(text.data())};  // NOLINT: the library does not write
}

Result<> prepare(const Plan& plan) {
  auto connection = connect(plan);
  if (!connection) return connection.failure();
  amqp_table_entry_t entry{};
  entry.key = amqp_cstring_bytes("x-queue-type");
  entry.value.kind = AMQP_FIELD_KIND_UTF8;
  entry.value.value.bytes = amqp_cstring_bytes("quorum");
  const amqp_table_t arguments{1, &entry};
  amqp_queue_declare(
      connection->get(), kChannel, amqp_cstring_bytes(kQueue), 0, 1, 0, 0, arguments);
  return check(amqp_get_rpc_reply(connection->get()), "queue");
}

/// The library waits in whole milliseconds, which is too coarse to put at a rate.
void wait_for_input(amqp_connection_state_t connection, std::uint64_t until) {
  const std::uint64_t now = now_ns();
  if (until <= now || amqp_frames_enqueued(connection) != 0
      || amqp_data_in_buffer(connection) != 0) {
    return;
  }
  pollfd descriptor{amqp_get_sockfd(connection), POLLIN, 0};
  timespec wait{};
  wait.tv_nsec = static_cast<long>(std::min<std::uint64_t>(until - now, 999'999'999));
  ::ppoll(&descriptor, 1, &wait, nullptr);
}

/// Confirmations that are there, or come until `until`: the highest tag.
Result<std::uint64_t> confirmed(amqp_connection_state_t connection,
                                std::uint64_t until,
                                std::uint64_t known) {
  wait_for_input(connection, until);
  while (true) {
    const timeval wait{};
    amqp_frame_t frame{};
    const int status = amqp_simple_wait_frame_noblock(connection, &frame, &wait);
    if (status == AMQP_STATUS_TIMEOUT) return known;
    if (status != AMQP_STATUS_OK) {
      return fail(Fault::Transient, std::string("rabbitmq: ") + amqp_error_string2(status));
    }
    if (frame.frame_type != AMQP_FRAME_METHOD) continue;
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
      return fail(Fault::Transient, "rabbitmq did not confirm");
    }
    const auto& ack = *static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
    known = std::max(known, ack.delivery_tag);
  }
}

/// Confirms come singly or for all up to a tag, in order: the highest tag counts them well enough.
Result<> publish(Side& side) {
  auto made = connect(side.plan());
  if (!made) return made.failure();
  const amqp_connection_state_t connection = made->get();
  amqp_confirm_select(connection, kChannel);
  if (auto well = check(amqp_get_rpc_reply(connection), "confirms"); !well) return well;
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.delivery_mode = 2;
  Payload payload(side.plan().size);
  std::uint64_t put = 0;
  std::uint64_t known = 0;
  side.start();
  while (!side.stopped()) {
    const auto room = side.plan().window - (put - known);
    const std::size_t count = std::min({side.allowance(), room, std::size_t{64}});
    for (std::size_t at = 0; at < count; ++at) {
      const int status = amqp_basic_publish(connection,
                                            kChannel,
                                            amqp_empty_bytes,
                                            amqp_cstring_bytes(kQueue),
                                            0,
                                            0,
                                            &properties,
                                            bytes_of(payload.stamp(now_ns())));
      if (status != AMQP_STATUS_OK) return fail(Fault::Transient, amqp_error_string2(status));
    }
    put += count;
    side.note_put(count);
    const bool full = put - known >= side.plan().window;
    const std::uint64_t until = full ? now_ns() + 100'000'000 : side.next_look();
    const auto answered = confirmed(connection, count > 0 && !full ? 0 : until, known);
    if (!answered) return answered.failure();
    side.note_done(*answered - known);
    known = *answered;
  }
  return {};
}

Result<> consume(Side& side) {
  auto made = connect(side.plan());
  if (!made) return made.failure();
  const amqp_connection_state_t connection = made->get();
  const auto prefetch =
      static_cast<std::uint16_t>(std::min<std::size_t>(side.plan().credit, 65535));
  amqp_basic_qos(connection, kChannel, 0, prefetch, 0);
  amqp_basic_consume(connection,
                     kChannel,
                     amqp_cstring_bytes(kQueue),
                     amqp_empty_bytes,
                     0,
                     0,
                     0,
                     amqp_empty_table);
  if (auto well = check(amqp_get_rpc_reply(connection), "consume"); !well) return well;
  constexpr std::size_t kAtOnce = 64;
  side.start();
  std::size_t open = 0;
  std::uint64_t last = 0;
  while (!side.stopped()) {
    amqp_maybe_release_buffers(connection);
    amqp_envelope_t envelope{};
    timeval wait{0, open > 0 ? 0 : 100'000};
    const amqp_rpc_reply_t reply = amqp_consume_message(connection, &envelope, &wait, 0);
    const bool none = reply.reply_type != AMQP_RESPONSE_NORMAL;
    if (none && reply.library_error != AMQP_STATUS_TIMEOUT) return check(reply, "to deliver");
    if (!none) {
      const amqp_bytes_t body = envelope.message.body;
      side.note_delivery(Payload::sent(body.bytes, body.len), now_ns());
      last = envelope.delivery_tag;
      ++open;
      amqp_destroy_envelope(&envelope);
    }
    if (open == 0 || (!none && open < kAtOnce)) continue;
    amqp_basic_ack(connection, kChannel, last, 1);
    side.note_done(open);
    open = 0;
  }
  return {};
}

}  // namespace

System rabbitmq_system() {
  return {"rabbitmq", publish, consume, prepare};
}

}  // namespace conga::bench
