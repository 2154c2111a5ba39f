// SPDX-License-Identifier: Apache-2.0

#include "bus/client_names.h"

namespace conga::bus {

bool ClientNames::greet(const Time& now, std::string_view client, std::uint64_t nonce) {
  const auto found = holders_.find(client);
  if (found == holders_.end()) {
    holders_.emplace(client, Holder{.nonce = nonce, .heard = now.steady});
    return true;
  }
  Holder& holder = found->second;
  if (holder.nonce != nonce && now.steady - holder.heard < silence_) return false;
  holder = {.nonce = nonce, .heard = now.steady};
  return true;
}

void ClientNames::heard_of(const Time& now, std::string_view client) {
  const auto found = holders_.find(client);
  if (found != holders_.end()) found->second.heard = now.steady;
}

void ClientNames::release(std::string_view client) {
  const auto found = holders_.find(client);
  if (found != holders_.end()) holders_.erase(found);
}

}  // namespace conga::bus
