// SPDX-License-Identifier: Apache-2.0

#include "common/runtime/zmq/zmq_transport.h"

#include "common/runtime/zmq/ipc_path.h"

#include <zmq.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace conga {
namespace {

/// Below this a copy is cheaper than the bookkeeping of a message that owns the string.
constexpr std::size_t kCopyBelow = 1024;

/// One part in so many of a body's size: that is 37 bytes for each event of 300.
constexpr std::size_t kRoomBehind = 8;

/// The first byte of a subscription: https://rfc.zeromq.org/spec/29.
constexpr char kSubscribe = '\x01';

int milliseconds(Duration duration) {
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

void free_string(void* /*data*/, void* hint) {
  delete static_cast<std::string*>(hint);
}

/// So that the forwarder can pass it on with what it has to say about it, without a copy.
std::string with_room_behind(std::string_view bytes) {
  std::string text;
  if (bytes.size() >= kCopyBelow) text.reserve(bytes.size() + bytes.size() / kRoomBehind);
  text = bytes;
  return text;
}

zmq::message_t to_message(std::string bytes) {
  if (bytes.size() < kCopyBelow) return {bytes.data(), bytes.size()};
  auto owned = std::make_unique<std::string>(std::move(bytes));
  char* const data = owned->data();
  const std::size_t size = owned->size();
  return {data, size, free_string, owned.release()};
}

/// One sentence with the remedy.
Error cannot_bind(const std::string& endpoint, const zmq::error_t& error) {
  const std::string cannot = endpoint + " cannot be bound: ";
  switch (error.num()) {
    case EADDRINUSE:
      return {Fault::Transient,
              cannot + "it is in use; `ss -ltnp 'sport = " + endpoint.substr(endpoint.rfind(':'))
                  + "'` shows by whom: stop that, or configure another port",
              "InUse"};
    case EACCES:
      return {Fault::Permanent,
              cannot + "permission denied; ports below 1024 are root's, and the folder of an "
                       "ipc:// path must be writable",
              "Unwritable"};
    case EADDRNOTAVAIL:
    case ENODEV:
      return {Fault::Permanent,
              cannot + "this machine has no such address; tcp://127.0.0.1:PORT is for this machine "
                       "only, tcp://0.0.0.0:PORT for all its addresses",
              "InvalidEndpoint"};
    default:
      return {Fault::Permanent,
              cannot + error.what() + "; an endpoint is tcp://ADDRESS:PORT or ipc://PATH",
              "InvalidEndpoint"};
  }
}

Time real_time() {
  return SystemClock().now();
}

/// A socket and what its messages are to the Node.
struct Port {
  enum class Input : std::uint8_t { None, Frames, Presence };

  Channel channel;
  zmq::socket_t socket;
  Input input;
  bool sends;
};

}  // namespace

struct ZmqTransport::State {
  State(const ZmqOptions& transport_options, Signals* transport_signals, Log& transport_log)
      : options(transport_options), signals(transport_signals), log(transport_log) {}

  zmq::socket_t make_socket(zmq::socket_type type, std::int64_t max_message);
  zmq::socket_t make_link();
  Result<> connect_link(const std::string& endpoint);
  Result<> bind(zmq::socket_t& socket, const std::string& endpoint);
  Result<> wait_for_input(std::optional<Duration> wait,
                          const std::function<bool(Channel)>& accepts);
  void receive(Port& port, Arrivals& arrivals);
  bool receive_one(Port& port, Arrivals& arrivals, std::size_t& bytes);
  void read_presence(std::string_view message, Arrivals& arrivals);
  void complain_malformed();

  ZmqOptions options;
  Signals* signals;
  Log& log;
  TransportStats stats;
  std::vector<std::unique_ptr<IpcPath>> paths;
  zmq::context_t context{1};
  std::vector<Port> ports;  // behind the context: sockets must close before it ends
  std::vector<zmq::pollitem_t> poll_set;
  std::vector<Port*> polled;  ///< The ports of the first items of poll_set.
};

namespace {

Result<> connect(zmq::socket_t& socket, const std::string& endpoint) {
  try {
    socket.connect(endpoint);
  } catch (const zmq::error_t& error) {
    return fail(Fault::Permanent,
                endpoint + " is no endpoint to connect to: " + error.what(),
                "InvalidEndpoint");
  }
  return {};
}

/// Takes the parts after `last`. True if there were any, which no message of ours has.
bool drop_rest(zmq::socket_t& socket, const zmq::message_t& last) {
  bool more = last.more();
  const bool dropped = more;
  while (more) {
    zmq::message_t rest;
    if (!socket.recv(rest, zmq::recv_flags::dontwait)) break;
    more = rest.more();
  }
  return dropped;
}

/// What `make` returns, or an Error: no more file descriptors, no memory.
template <class Make>
auto guarded(Make make) -> decltype(make()) {
  try {
    return make();
  } catch (const zmq::error_t& error) {
    return fail(Fault::Transient, std::string("no ZeroMQ socket: ") + error.what());
  }
}

}  // namespace

void ZmqTransport::State::complain_malformed() {
  ++stats.malformed;
  log.complain(real_time(), "malformed", "a message that is not topic and body was dropped");
}

void ZmqTransport::State::read_presence(std::string_view message, Arrivals& arrivals) {
  // What is neither 0 nor 1 is a message of a SUB's own making: none of the protocol's.
  if (message.empty() || static_cast<unsigned char>(message.front()) > 1) {
    complain_malformed();
    return;
  }
  arrivals.presences.push_back(
      {.topic = std::string(message.substr(1)), .present = message.front() == kSubscribe});
}

zmq::socket_t ZmqTransport::State::make_link() {
  return make_socket(zmq::socket_type::dealer, options.max_link_message);
}

zmq::socket_t ZmqTransport::State::make_socket(zmq::socket_type type, std::int64_t max_message) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, milliseconds(options.linger));
  socket.set(zmq::sockopt::maxmsgsize, max_message);
  socket.set(zmq::sockopt::backlog, options.backlog);
  socket.set(zmq::sockopt::heartbeat_ivl, milliseconds(options.heartbeat));
  socket.set(zmq::sockopt::heartbeat_timeout, milliseconds(options.heartbeat_timeout));
  socket.set(zmq::sockopt::reconnect_ivl, milliseconds(options.reconnect_initial));
  socket.set(zmq::sockopt::reconnect_ivl_max, milliseconds(options.reconnect_max));
  socket.set(zmq::sockopt::rcvhwm, options.high_water_mark);
  // What SUB and XSUB send are subscriptions, and at a mark libzmq would lose them silently.
  const bool subscribes = type == zmq::socket_type::sub || type == zmq::socket_type::xsub;
  socket.set(zmq::sockopt::sndhwm, subscribes ? 0 : options.high_water_mark);
  return socket;
}

Result<> ZmqTransport::State::bind(zmq::socket_t& socket, const std::string& endpoint) {
  constexpr std::string_view kIpc = "ipc://";
  if (endpoint.starts_with(kIpc)) {
    auto path = IpcPath::own(endpoint.substr(kIpc.size()));
    if (!path) return path.failure();
    paths.push_back(std::move(*path));
  }
  try {
    socket.bind(endpoint);
  } catch (const zmq::error_t& error) {
    return tl::unexpected<Error>(cannot_bind(endpoint, error));
  }
  return {};
}

Result<> ZmqTransport::State::wait_for_input(std::optional<Duration> wait,
                                             const std::function<bool(Channel)>& accepts) {
  poll_set.clear();
  polled.clear();
  for (Port& port : ports) {
    if (port.input == Port::Input::None) continue;
    if (port.input == Port::Input::Frames && !accepts(port.channel)) continue;
    poll_set.push_back({port.socket.handle(), 0, ZMQ_POLLIN, 0});
    polled.push_back(&port);
  }
  if (signals != nullptr) poll_set.push_back({nullptr, signals->descriptor(), ZMQ_POLLIN, 0});
  if (options.wake_descriptor) {
    poll_set.push_back({nullptr, *options.wake_descriptor, ZMQ_POLLIN, 0});
  }
  try {
    zmq::poll(poll_set, std::chrono::milliseconds(wait ? milliseconds(*wait) : -1));
  } catch (const zmq::error_t& error) {
    if (error.num() == EINTR) return {};
    return fail(Fault::Permanent, std::string("polling the sockets failed: ") + error.what());
  }
  return {};
}

/// Each port has the turn's limits for itself: one that is never empty starves no other.
void ZmqTransport::State::receive(Port& port, Arrivals& arrivals) {
  std::size_t bytes = 0;
  for (std::size_t count = 0; count < options.turn.frames && bytes < options.turn.bytes; ++count) {
    if (!receive_one(port, arrivals, bytes)) return;
  }
}

/// Takes one message; false if none was there.
bool ZmqTransport::State::receive_one(Port& port, Arrivals& arrivals, std::size_t& bytes) {
  zmq::message_t topic;
  if (!port.socket.recv(topic, zmq::recv_flags::dontwait)) return false;
  if (port.input == Port::Input::Presence) {
    if (drop_rest(port.socket, topic)) {
      complain_malformed();
    } else {
      read_presence(topic.to_string_view(), arrivals);
    }
    return true;
  }
  zmq::message_t body;
  const bool has_body = topic.more() && port.socket.recv(body, zmq::recv_flags::dontwait);
  if (!has_body || drop_rest(port.socket, body)) {
    complain_malformed();
    return true;
  }
  bytes += topic.size() + body.size();
  arrivals.frames.push_back({.channel = port.channel,
                             .topic = std::string(topic.to_string_view()),
                             .body = with_room_behind(body.to_string_view())});
  return true;
}

Result<> ZmqTransport::State::connect_link(const std::string& endpoint) {
  zmq::socket_t dealer = make_link();
  dealer.set(zmq::sockopt::immediate, true);  // nothing queues for a sidecar that is not there
  if (auto connected = connect(dealer, endpoint); !connected) return connected;
  ports.push_back({Channel::Link, std::move(dealer), Port::Input::Frames, true});
  return {};
}

ZmqTransport::ZmqTransport(std::unique_ptr<State> state) : state_(std::move(state)) {}

ZmqTransport::~ZmqTransport() = default;

Result<std::unique_ptr<ZmqTransport>> ZmqTransport::forwarder(const std::string& publish,
                                                              const std::string& subscribe,
                                                              const std::string& link,
                                                              const ZmqOptions& options,
                                                              Signals* signals,
                                                              Log& log) {
  return guarded([&]() -> Result<std::unique_ptr<ZmqTransport>> {
    auto state = std::make_unique<State>(options, signals, log);
    zmq::socket_t xsub = state->make_socket(zmq::socket_type::xsub, options.max_message);
    zmq::socket_t xpub = state->make_socket(zmq::socket_type::xpub, options.max_message);
    if (auto bound = state->bind(xsub, publish); !bound) return bound.failure();
    if (auto bound = state->bind(xpub, subscribe); !bound) return bound.failure();
    xsub.send(zmq::buffer(&kSubscribe, 1), zmq::send_flags::none);  // to everything
    state->ports.push_back({Channel::Publish, std::move(xsub), Port::Input::Frames, false});
    state->ports.push_back({Channel::Subscribe, std::move(xpub), Port::Input::Presence, true});
    if (!link.empty()) {
      if (auto connected = state->connect_link(link); !connected) return connected.failure();
    }
    return std::unique_ptr<ZmqTransport>(new ZmqTransport(std::move(state)));
  });
}

Result<std::unique_ptr<ZmqTransport>> ZmqTransport::client(const std::string& publish,
                                                           const std::string& subscribe,
                                                           const std::vector<std::string>& topics,
                                                           const ZmqOptions& options,
                                                           Signals* signals,
                                                           Log& log) {
  return guarded([&]() -> Result<std::unique_ptr<ZmqTransport>> {
    auto state = std::make_unique<State>(options, signals, log);
    zmq::socket_t sub = state->make_socket(zmq::socket_type::sub, options.max_message);
    zmq::socket_t pub = state->make_socket(zmq::socket_type::pub, options.max_message);
    for (const std::string& topic : topics) sub.set(zmq::sockopt::subscribe, topic);
    if (auto connected = connect(sub, subscribe); !connected) return connected.failure();
    if (auto connected = connect(pub, publish); !connected) return connected.failure();
    state->ports.push_back({Channel::Bus, std::move(sub), Port::Input::Frames, false});
    state->ports.push_back({Channel::Bus, std::move(pub), Port::Input::None, true});
    return std::unique_ptr<ZmqTransport>(new ZmqTransport(std::move(state)));
  });
}

Result<std::unique_ptr<ZmqTransport>> ZmqTransport::sidecar(const std::string& link,
                                                            const ZmqOptions& options,
                                                            Signals* signals,
                                                            Log& log) {
  return guarded([&]() -> Result<std::unique_ptr<ZmqTransport>> {
    auto state = std::make_unique<State>(options, signals, log);
    zmq::socket_t dealer = state->make_link();
    if (auto bound = state->bind(dealer, link); !bound) return bound.failure();
    state->ports.push_back({Channel::Link, std::move(dealer), Port::Input::Frames, true});
    return std::unique_ptr<ZmqTransport>(new ZmqTransport(std::move(state)));
  });
}

Result<std::unique_ptr<ZmqTransport>> ZmqTransport::link_relay(const std::string& link,
                                                               const std::string& onward,
                                                               const ZmqOptions& options,
                                                               Signals* signals,
                                                               Log& log) {
  return guarded([&]() -> Result<std::unique_ptr<ZmqTransport>> {
    auto state = std::make_unique<State>(options, signals, log);
    zmq::socket_t dealer = state->make_link();
    if (auto bound = state->bind(dealer, link); !bound) return bound.failure();
    state->ports.push_back({Channel::Bus, std::move(dealer), Port::Input::Frames, true});
    if (auto connected = state->connect_link(onward); !connected) return connected.failure();
    return std::unique_ptr<ZmqTransport>(new ZmqTransport(std::move(state)));
  });
}

Result<> ZmqTransport::poll(std::optional<Duration> wait,
                            const std::function<bool(Channel)>& accepts,
                            Arrivals& arrivals) {
  State& state = *state_;
  arrivals.frames.clear();
  arrivals.presences.clear();
  if (auto waited = state.wait_for_input(wait, accepts); !waited) return waited;
  try {
    for (std::size_t at = 0; at < state.polled.size(); ++at) {
      if ((state.poll_set[at].revents & ZMQ_POLLIN) != 0) {
        state.receive(*state.polled[at], arrivals);
      }
    }
  } catch (const zmq::error_t& error) {
    // An interrupted turn goes on in the next one.
    if (error.num() != EINTR) {
      return fail(Fault::Permanent, std::string("receiving failed: ") + error.what());
    }
  }
  const Signals::Pending pending =
      state.signals == nullptr ? Signals::Pending{} : state.signals->take();
  arrivals.reload = pending.reload;
  arrivals.stop = pending.stop;
  return {};
}

void ZmqTransport::send(Frame frame) {
  State& state = *state_;
  const auto port = std::ranges::find_if(state.ports, [&frame](const Port& candidate) {
    return candidate.sends && candidate.channel == frame.channel;
  });
  if (port == state.ports.end()) {
    ++state.stats.dropped;
    return;
  }
  try {
    constexpr auto kFlags = zmq::send_flags::dontwait;
    if (!port->socket.send(to_message(std::move(frame.topic)), kFlags | zmq::send_flags::sndmore)) {
      ++state.stats.dropped;
      return;
    }
    // libzmq that has taken the first part takes the rest.
    static_cast<void>(port->socket.send(to_message(std::move(frame.body)), kFlags));
  } catch (const zmq::error_t& error) {
    ++state.stats.dropped;
    state.log.complain(real_time(), "sending", std::string("sending failed: ") + error.what());
  }
}

std::string ZmqTransport::endpoint(Channel channel) const {
  for (const Port& port : state_->ports) {
    if (port.channel == channel) return port.socket.get(zmq::sockopt::last_endpoint);
  }
  return {};
}

const TransportStats& ZmqTransport::stats() const {
  return state_->stats;
}

}  // namespace conga
