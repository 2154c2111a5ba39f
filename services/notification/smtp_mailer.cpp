// SPDX-License-Identifier: Apache-2.0

#include "services/notification/smtp_mailer.h"

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <memory>
#include <string_view>

namespace conga::notification {
namespace {

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }  // says QUIT
};

struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// What passes between us and the server in one conversation.
struct Conversation {
  std::string message;
  std::size_t sent = 0;
  std::string reply = {};  ///< The server's last one, all its lines.
  bool reply_ended = true;
};

/// SMTP's lines end with \r\n.
std::string with_crlf(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\n') out += '\r';
    out += letter;
  }
  return out;
}

/// libcurl's CURLOPT_READFUNCTION.
std::size_t read_message(char* buffer, std::size_t size, std::size_t count, void* user) {
  auto* const with = static_cast<Conversation*>(user);
  const std::string_view rest = std::string_view(with->message).substr(with->sent);
  const std::size_t taken = rest.copy(buffer, size * count);
  with->sent += taken;
  return taken;
}

/// libcurl's CURLOPT_HEADERFUNCTION: a line of a reply. `550-` goes on, `550 ` is the last. 221 is
/// the reply to QUIT, which libcurl says after whatever went wrong.
std::size_t read_reply(char* data, std::size_t size, std::size_t count, void* user) {
  auto* const with = static_cast<Conversation*>(user);
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("221")) return size * count;
  constexpr std::size_t kCode = 3;
  if (with->reply_ended) with->reply = line.substr(0, kCode);
  if (line.size() > kCode) with->reply.append(" ").append(line.substr(kCode + 1));
  with->reply_ended = line.size() <= kCode || line[kCode] != '-';
  return size * count;
}

long milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

long security_of(StartTls starttls) {
  if (starttls == StartTls::Required) return CURLUSESSL_ALL;
  return starttls == StartTls::Opportunistic ? CURLUSESSL_TRY : CURLUSESSL_NONE;
}

void set_server(CURL* curl, const SmtpOptions& options) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // threads: libcurl's manual, libcurl-thread(3)
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_URL, options.url.c_str());
  curl_easy_setopt(curl, CURLOPT_USE_SSL, security_of(options.starttls));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, milliseconds(options.timeout));
  if (!options.ca_file.empty()) curl_easy_setopt(curl, CURLOPT_CAINFO, options.ca_file.c_str());
  if (options.user.empty()) return;
  curl_easy_setopt(curl, CURLOPT_USERNAME, options.user.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, options.password.c_str());
}

void set_message(CURL* curl,
                 const std::string& from,
                 const curl_slist* recipients,
                 Conversation& with) {
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_message);
  curl_easy_setopt(curl, CURLOPT_READDATA, &with);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, read_reply);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &with);
}

/// Whether it was the server's reply to MAIL, RCPT, DATA or the message that ended it, and not TLS,
/// AUTH or the network.
bool is_refusal(CURLcode code, const std::string& reply) {
  constexpr std::string_view kMustLogIn = "530";
  const bool by_reply =
      code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY;
  return by_reply && !reply.starts_with(kMustLogIn);
}

tl::unexpected<Error> not_sent(const SmtpOptions& options,
                               CURLcode code,
                               std::string_view detail,
                               const std::string& reply) {
  if (is_refusal(code, reply) && reply.starts_with('5')) {
    return fail(Fault::Permanent, server_words(reply), "MailRefused");
  }
  if (is_refusal(code, reply) && reply.starts_with('4')) {
    return fail(Fault::Transient, options.url + " says: " + server_words(reply), "MailDeferred");
  }
  const std::string_view said = detail.empty() ? curl_easy_strerror(code) : detail;
  return fail(Fault::Transient,
              options.url + " does not take mail: " + std::string(said)
                  + (reply.empty() ? "" : "; it said last: " + server_words(reply)),
              "MailUnavailable");
}

}  // namespace

bool is_mail_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == text.size()) return false;
  return std::ranges::none_of(text, [](char letter) {
    return static_cast<unsigned char>(letter) <= ' ' || letter == '<' || letter == '>';
  });
}

Result<> SmtpMailer::deliver(const Parcel& parcel) {
  if (!is_mail_address(parcel.to)) {
    return fail(Fault::Permanent, "the recipient is no mail address", "InvalidAddress");
  }
  const std::unique_ptr<CURL, FreeHandle> handle(curl_easy_init());
  const std::unique_ptr<curl_slist, FreeList> recipients(
      curl_slist_append(nullptr, parcel.to.c_str()));
  if (!handle || !recipients) return fail(Fault::Transient, "no memory to mail", "MailUnavailable");
  CURL* const curl = handle.get();
  Conversation with{.message = with_crlf(parcel.content)};
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  set_server(curl, options_);
  set_message(curl, options_.from, recipients.get(), with);
  const CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK) return not_sent(options_, code, detail.data(), with.reply);
  return {};
}

}  // namespace conga::notification
