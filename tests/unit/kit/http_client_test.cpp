// SPDX-License-Identifier: Apache-2.0

#include "services/kit/http_client.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace conga;
using namespace conga::kit;

namespace {

/// Takes one connection, reads a request, answers with given bytes, and hangs up.
class CannedServer {
public:
  explicit CannedServer(std::string answer)
      : answer_(std::move(answer)), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
    REQUIRE(::bind(socket_, generic, size) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    REQUIRE(::getsockname(socket_, generic, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~CannedServer() {
    ::shutdown(socket_, SHUT_RDWR);  // ends an accept() that nobody came for
    if (thread_.joinable()) thread_.join();
    ::close(socket_);
  }

  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/path?key=x"; }

  /// Waits for the end of the one connection.
  const std::string& seen() {
    thread_.join();
    return seen_;
  }

private:
  void serve() {
    const int connection = ::accept(socket_, nullptr, nullptr);
    if (connection < 0) return;
    std::string buffer(65536, '\0');
    while (seen_.find("END") == std::string::npos) {
      const ssize_t count = ::recv(connection, buffer.data(), buffer.size(), 0);
      if (count <= 0) break;
      seen_.append(buffer, 0, static_cast<std::size_t>(count));
    }
    static_cast<void>(::send(connection, answer_.data(), answer_.size(), MSG_NOSIGNAL));
    ::close(connection);
  }

  std::string answer_;
  std::string seen_;
  int socket_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

HttpRequest post(const std::string& url) {
  return {.method = "POST", .url = url, .headers = {"Idempotency-Key: k1"}, .body = "bodyEND"};
}

}  // namespace

TEST_CASE("an answer of any status is told with its body") {
  CannedServer server("HTTP/1.1 402 No\r\nContent-Length: 4\r\nConnection: close\r\n\r\nnope");
  const HttpClient client({});
  const auto answer = client.send(post(server.url()));
  REQUIRE(answer);
  CHECK(answer->status == 402);
  CHECK(answer->body == "nope");
  const std::string& seen = server.seen();
  CHECK(seen.starts_with("POST /path?key=x HTTP/1.1\r\n"));
  CHECK(seen.find("\r\nIdempotency-Key: k1\r\n") != std::string::npos);
  CHECK(seen.ends_with("\r\n\r\nbodyEND"));
}

TEST_CASE("a connection that ends in the middle is no answer") {
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  const HttpClient client({});
  const auto answer = client.send(post(server.url()));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().fault == Fault::Transient);
  CHECK(answer.error().code == "HttpUnavailable");
  CHECK(answer.error().what.find("/path did not answer") != std::string::npos);
  CHECK(answer.error().what.find("key=x") == std::string::npos);
}

TEST_CASE("an answer over the limit is refused") {
  CannedServer server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789");
  HttpOptions options;
  options.max_body = 9;
  const HttpClient client(options);
  const auto answer = client.send(post(server.url()));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().fault == Fault::Transient);
}

TEST_CASE("a server that does not answer in time is told as such") {
  CannedServer server("HTTP/1.1 200 OK\r\n\r\n");
  HttpOptions options;
  options.timeout = std::chrono::milliseconds(20);
  const HttpClient client(options);
  HttpRequest request = post(server.url());
  request.body = "the server waits for more than this";
  const auto answer = client.send(request);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == "HttpTimeout");
}

TEST_CASE("a port where nobody listens is unavailable") {
  std::string url;
  {
    CannedServer server("");
    url = server.url();
  }
  const HttpClient client({});
  const auto answer = client.send({.method = "GET", .url = url});
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == "HttpUnavailable");
}

TEST_CASE("forms are percent-encoded") {
  CHECK(form_encoded({{"to", "+49 151"},
                      {"text",
                       "Gr\xc3\xbc\xc3\x9f"
                       "e & mehr=1~"}})
        == "to=%2B49%20151&text=Gr%C3%BC%C3%9Fe%20%26%20mehr%3D1~");
}
