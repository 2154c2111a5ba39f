// SPDX-License-Identifier: Apache-2.0
//
// MetricsServer: answers `GET /metrics` in Prometheus' text format. Its HTTP server has a thread of
// its own, and the daemon's loop must not be looked into from there: a scrape asks for a page and
// waits until the loop, after its turn, has published one. While nobody scrapes it costs nothing.

#pragma once

#include "common/core/result.h"
#include "common/metrics/metrics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace conga {

struct MetricsOptions {
  std::string listen;  ///< HOST:PORT; empty: no endpoint.
};

/// An IP address and a port: `127.0.0.1:9464`, `[::1]:9464`.
bool is_listen_address(std::string_view text);

class MetricsServer {
public:
  /// At an address that is_listen_address(); port 0 chooses one.
  static Result<std::unique_ptr<MetricsServer>> open(const std::string& listen);

  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  /// True: a scrape waits for publish(). Cheap enough for every turn.
  bool wanted() const;

  void publish(MetricsPage page);

  int port() const;

private:
  struct State;

  explicit MetricsServer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace conga
