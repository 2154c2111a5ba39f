// SPDX-License-Identifier: Apache-2.0
//
// ClientNames: which client names are in use, so that two processes cannot share one by mistake and
// take each other's answers. A name is held by whoever said hello first, until its subscription
// ends; a nonce in the hello tells the two apart.

#pragma once

#include "common/core/clock.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace conga::bus {

class ClientNames {
public:
  /// `silence`: after it a holder that was not heard of may be succeeded. A killed process that
  /// restarts under its name may be back before the end of its old connection is noticed.
  explicit ClientNames(Duration silence) : silence_(silence) {}

  /// False: the name is held by another process.
  bool greet(const Time& now, std::string_view client, std::uint64_t nonce);

  /// `client` sent something that only a client that was greeted sends.
  void heard_of(const Time& now, std::string_view client);

  /// Nobody subscribes to the client's answers any more.
  void release(std::string_view client);

  std::size_t size() const { return holders_.size(); }

private:
  struct Holder {
    std::uint64_t nonce = 0;
    SteadyTime heard;
  };

  Duration silence_;
  std::map<std::string, Holder, std::less<>> holders_;
};

}  // namespace conga::bus
