// SPDX-License-Identifier: Apache-2.0
//
// Address and Cidr: IP addresses and blocks of them. The two families never match each other.

#pragma once

#include "common/core/result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace conga::bus {

struct Address {
  std::array<std::uint8_t, 16> bytes{};  ///< IPv4: the first four.
  bool v6 = false;

  /// Dotted quad or RFC 4291 text, either case, nothing around it.
  static std::optional<Address> parse(std::string_view text);

  /// With all bits behind the first `bits` cleared.
  Address masked(unsigned bits) const;

  friend bool operator==(const Address&, const Address&) = default;
};

class Cidr {
public:
  /// `10.0.0.0/8`, `2001:db8::/32`; bits behind the mask may be set.
  static Result<Cidr> parse(std::string_view text);

  bool contains(const Address& address) const {
    return address.v6 == base_.v6 && address.masked(bits_) == base_;
  }

  const Address& base() const { return base_; }

  unsigned bits() const { return bits_; }

private:
  Cidr(const Address& base, unsigned bits)
      : base_(base.masked(bits)), bits_(static_cast<std::uint8_t>(bits)) {}

  Address base_;
  std::uint8_t bits_;
};

}  // namespace conga::bus
