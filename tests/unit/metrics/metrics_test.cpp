// SPDX-License-Identifier: Apache-2.0

#include "common/metrics/metrics.h"

#include "common/metrics/metrics_server.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <chrono>
#include <future>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using conga::LatencyCounts;
using conga::MetricsPage;
using conga::MetricsServer;
using namespace std::chrono_literals;

namespace {

/// What `GET /metrics` at 127.0.0.1 answers, headers and all; empty if nobody does.
std::string scrape(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  const auto* const any = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (::connect(socket, any, sizeof address) == 0) {
    const std::string request = "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n";
    if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      std::array<char, 4096> buffer{};
      for (;;) {
        const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
        if (got <= 0) break;
        answer.append(buffer.data(), static_cast<std::size_t>(got));
      }
    }
  }
  ::close(socket);
  return answer;
}

}  // namespace

TEST_CASE("a value is counted below the first bound that it does not exceed") {
  LatencyCounts counts;
  counts.observe(50us);
  counts.observe(51us);
  counts.observe(-1s);  // A clock that was set back: no time at all.
  counts.observe(24h * 30);
  CHECK(counts.counts()[0] == 2);
  CHECK(counts.counts()[1] == 1);
  CHECK(counts.counts().back() == 1);
  CHECK(counts.sum() == doctest::Approx(2'592'000'000'101.0));
}

TEST_CASE("a page keeps samples of one name together, histograms cumulative") {
  MetricsPage page;
  page.counter("a_total", "First.", {{"rule", "r1"}}, 1);
  page.gauge("b", "Other.", {}, 0.5);
  page.counter("a_total", "First.", {{"rule", "r2"}}, 2);
  LatencyCounts counts;
  counts.observe(60us);
  counts.observe(240h);
  page.histogram("c_seconds", "Time.", {}, counts, conga::kSecondsOfMicros);
  REQUIRE(page.families().size() == 3);
  CHECK(page.families()[0].samples.size() == 2);
  const conga::MetricSample& sample = page.families()[2].samples.front();
  CHECK(sample.count == 2);
  CHECK(sample.buckets.front().first == doctest::Approx(50e-6));
  CHECK(sample.buckets.front().second == 0);
  CHECK(sample.buckets[1].second == 1);
  CHECK(sample.buckets.back().second == 1);
}

TEST_CASE("a listen address is an IP address and a port") {
  for (const char* right : {"127.0.0.1:9464", "0.0.0.0:80", "[::1]:9464"}) {
    CAPTURE(right);
    CHECK(conga::is_listen_address(right));
  }
  for (const char* wrong :
       {"", ":", "9464", "127.0.0.1", "127.0.0.1:", ":80", "a b:80", "1:65536", "1:2x"}) {
    CAPTURE(wrong);
    CHECK_FALSE(conga::is_listen_address(wrong));
  }
}

TEST_CASE("a scrape gets the page that the loop publishes after it was asked") {
  const auto server = MetricsServer::open("127.0.0.1:0");
  REQUIRE(server);
  CHECK_FALSE((*server)->wanted());
  auto answer = std::async(std::launch::async, [&] { return scrape((*server)->port()); });
  while (!(*server)->wanted()) std::this_thread::yield();
  MetricsPage page;
  page.counter("conga_things_total", "Things \"seen\".", {{"rule", "a\"b\\c\nd"}}, 3);
  LatencyCounts counts;
  counts.observe(60us);
  page.histogram("conga_time_seconds", "Time.", {}, counts, conga::kSecondsOfMicros);
  (*server)->publish(std::move(page));
  const std::string text = answer.get();
  CHECK(text.find("conga_things_total{rule=\"a\\\"b\\\\c\\nd\"} 3") != std::string::npos);
  CHECK(text.find("conga_time_seconds_bucket{le=\"+Inf\"} 1") != std::string::npos);
  CHECK_FALSE((*server)->wanted());
}

TEST_CASE("a second server on the same port is refused with what to do") {
  const auto first = MetricsServer::open("127.0.0.1:0");
  REQUIRE(first);
  const auto second = MetricsServer::open("127.0.0.1:" + std::to_string((*first)->port()));
  REQUIRE_FALSE(second);
  CHECK(second.error().what.find("metrics.listen") != std::string::npos);
}
