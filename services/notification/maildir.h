// SPDX-License-Identifier: Apache-2.0
//
// Maildir: messages as files below tmp/, new/ and cur/ (https://cr.yp.to/proto/maildir.html), for
// any mail reader. The file is named after the key, so a second attempt writes the same file again,
// or finds that its reader has moved it to cur/. A first attempt does not look there: what it costs
// does not grow with the mail that was read.

#pragma once

#include "services/notification/carrier.h"

#include <memory>
#include <string>

namespace conga::notification {

class Maildir final : public Carrier {
public:
  /// Makes the folders. Transient if they cannot be made.
  static Result<std::unique_ptr<Maildir>> open(const std::string& path);

  Result<> deliver(const Parcel& parcel) override;

private:
  explicit Maildir(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace conga::notification
