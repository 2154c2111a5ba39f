// SPDX-License-Identifier: Apache-2.0

#include "services/notification/maildir.h"

#include "services/notification/durable_file.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace conga::notification {
namespace {

/// True if a mail reader has taken the message over: `cur/NAME:2,FLAGS`.
bool is_read(const std::filesystem::path& folder, const std::string& name) {
  std::error_code error;
  const std::filesystem::directory_iterator files(folder, error);
  return std::any_of(begin(files), end(files), [&name](const auto& file) {
    return file.path().filename().string().starts_with(name);
  });
}

}  // namespace

Result<std::unique_ptr<Maildir>> Maildir::open(const std::string& path) {
  for (const char* folder : {"/tmp", "/new", "/cur"}) {
    if (auto made = make_folder(path + folder); !made) return made.failure();
  }
  return std::unique_ptr<Maildir>(new Maildir(path));
}

Result<> Maildir::deliver(const Parcel& parcel) {
  if (parcel.attempt == Attempt::Again && is_read(path_ + "/cur", parcel.key)) return {};
  return write_durably(path_ + "/tmp/" + parcel.key, path_ + "/new", parcel.key, parcel.content);
}

}  // namespace conga::notification
