// SPDX-License-Identifier: Apache-2.0

#include "services/kit/http_client.h"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <mutex>

namespace conga::kit {
namespace {

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

using Handle = std::unique_ptr<CURL, FreeHandle>;

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

using HeaderList = std::unique_ptr<curl_slist, FreeList>;

struct Body {
  std::string bytes;
  std::size_t limit = 0;
};

/// libcurl's CURLOPT_WRITEFUNCTION: another size than was given ends the call.
std::size_t append_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto* body = static_cast<Body*>(user);
  const std::size_t bytes = size * count;
  if (body->bytes.size() + bytes > body->limit) return 0;
  body->bytes.append(data, bytes);
  return bytes;
}

HeaderList header_list(const std::vector<std::string>& headers) {
  HeaderList list;
  for (const std::string& header : headers) {
    curl_slist* longer = curl_slist_append(list.get(), header.c_str());
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

long milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

void set_limits(CURL* curl, const HttpOptions& options) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // threads: libcurl's manual, libcurl-thread(3)
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, milliseconds(options.connect_timeout));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(options.timeout));
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
}

void set_request(CURL* curl, const HttpRequest& request, curl_slist* headers) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  if (!request.body.empty() || request.method == "POST") {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(
        curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

tl::unexpected<Error> no_answer(const HttpRequest& request, CURLcode code, const char* detail) {
  const std::string_view said = *detail != '\0' ? detail : curl_easy_strerror(code);
  // Without its query, which may hold a password.
  const std::string url = request.url.substr(0, request.url.find('?'));
  return fail(Fault::Transient,
              url + " did not answer: " + std::string(said),
              code == CURLE_OPERATION_TIMEDOUT ? "HttpTimeout" : "HttpUnavailable");
}

}  // namespace

/// Those that are free; each holds its open connections.
struct HttpClient::Handles {
  std::mutex mutex;
  std::vector<Handle> free;

  Handle take() {
    const std::scoped_lock lock(mutex);
    if (free.empty()) return Handle(curl_easy_init());
    Handle handle = std::move(free.back());
    free.pop_back();
    return handle;
  }

  void give_back(Handle handle) {
    curl_easy_reset(handle.get());
    const std::scoped_lock lock(mutex);
    free.push_back(std::move(handle));
  }
};

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), handles_(std::make_unique<Handles>()) {}

HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::send(const HttpRequest& request) const {
  Handle handle = handles_->take();
  if (!handle) return fail(Fault::Transient, "no memory for an HTTP call", "HttpUnavailable");
  const HeaderList headers = header_list(request.headers);
  Body body{.bytes = {}, .limit = options_.max_body};
  std::array<char, CURL_ERROR_SIZE> detail{};
  CURL* curl = handle.get();
  set_limits(curl, options_);
  set_request(curl, request, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  const CURLcode code = curl_easy_perform(curl);
  HttpResponse response{.status = 0, .body = std::move(body.bytes)};
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
  handles_->give_back(std::move(handle));
  if (code != CURLE_OK) return no_answer(request, code, detail.data());
  return response;
}

std::string form_encoded(const std::vector<std::pair<std::string, std::string>>& fields) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  const auto append = [&out, kHex](std::string_view text) {
    for (const char letter : text) {
      const auto code = static_cast<unsigned char>(letter);
      const bool plain = (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z')
                         || (code >= '0' && code <= '9')
                         || std::string_view("-._~").find(letter) != std::string_view::npos;
      if (plain) {
        out += letter;
      } else {
        out.append({'%', kHex[code >> 4U], kHex[code & 0x0fU]});
      }
    }
  };
  for (const auto& [name, value] : fields) {
    if (!out.empty()) out += '&';
    append(name);
    out += '=';
    append(value);
  }
  return out;
}

}  // namespace conga::kit
