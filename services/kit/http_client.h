// SPDX-License-Identifier: Apache-2.0
//
// HttpClient: a blocking HTTP call on libcurl, for the adapters of services whose effects run on
// workers. Connections are kept open between calls.

#pragma once

#include "common/core/clock.h"
#include "common/core/result.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace conga::kit {

struct HttpOptions {
  Duration connect_timeout = std::chrono::seconds(3);
  Duration timeout = std::chrono::seconds(10);   ///< Of the whole call.
  std::string ca_file = {};                      ///< PEM; empty: the system's authorities.
  std::size_t max_body = std::size_t{1} << 20U;  ///< Of an answer, in bytes; more is refused.
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;                        ///< http or https
  std::vector<std::string> headers = {};  ///< `Name: value`
  std::string body = {};                  ///< Sent if not empty, or if the method is POST.
};

struct HttpResponse {
  long status = 0;
  std::string body;
};

class HttpClient {
public:
  explicit HttpClient(HttpOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Any status is an answer. Transient without one: `HttpTimeout`, or `HttpUnavailable` if the
  /// server cannot be reached, ended in the middle, or said too much; then it is not known whether
  /// it has done what was asked. May be called by several threads at once. Redirects are not
  /// followed.
  Result<HttpResponse> send(const HttpRequest& request) const;

private:
  struct Handles;

  HttpOptions options_;
  std::unique_ptr<Handles> handles_;
};

/// `name=value&…`, percent-encoded as application/x-www-form-urlencoded is, spaces as %20.
std::string form_encoded(const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace conga::kit
