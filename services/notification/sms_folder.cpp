// SPDX-License-Identifier: Apache-2.0

#include "services/notification/sms_folder.h"

#include "services/notification/durable_file.h"

namespace conga::notification {

Result<std::unique_ptr<SmsFolder>> SmsFolder::open(const std::string& path) {
  if (auto made = make_folder(path); !made) return made.failure();
  return std::unique_ptr<SmsFolder>(new SmsFolder(path));
}

Result<> SmsFolder::deliver(const Parcel& parcel) {
  return write_durably(path_ + "/." + parcel.key,
                       path_,
                       parcel.key + ".txt",
                       "To: " + parcel.to + "\n\n" + parcel.content + "\n");
}

}  // namespace conga::notification
