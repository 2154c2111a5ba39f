// SPDX-License-Identifier: Apache-2.0
//
// SmsFolder: text messages as files, KEY.txt, for trying the flow without a gateway.

#pragma once

#include "services/notification/carrier.h"

#include <memory>
#include <string>

namespace conga::notification {

class SmsFolder final : public Carrier {
public:
  /// Makes the folder. Transient if it cannot be made.
  static Result<std::unique_ptr<SmsFolder>> open(const std::string& path);

  Result<> deliver(const Parcel& parcel) override;

private:
  explicit SmsFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace conga::notification
