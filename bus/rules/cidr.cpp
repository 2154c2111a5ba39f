// SPDX-License-Identifier: Apache-2.0

#include "bus/rules/cidr.h"

#include <algorithm>
#include <arpa/inet.h>
#include <string>

namespace conga::bus {
namespace {

std::optional<Address> parse_v4(std::string_view text) {
  Address address;
  std::size_t at = 0;
  for (std::size_t part = 0; part < 4; ++part) {
    if (part > 0 && (at == text.size() || text[at++] != '.')) return std::nullopt;
    unsigned value = 0;
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9' && at - begin < 3) {
      value = value * 10 + static_cast<unsigned>(text[at++] - '0');
    }
    // A leading zero is refused: some read it as octal.
    if (at == begin || value > 255 || (at - begin > 1 && text[begin] == '0')) return std::nullopt;
    address.bytes.at(part) = static_cast<std::uint8_t>(value);
  }
  if (at != text.size()) return std::nullopt;
  return address;
}

std::optional<Address> parse_v6(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 1> copy{};
  if (text.size() >= copy.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::ranges::copy(text, copy.begin());
  Address address{.bytes = {}, .v6 = true};
  if (inet_pton(AF_INET6, copy.data(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::optional<unsigned> parse_bits(std::string_view text, unsigned most) {
  unsigned bits = 0;
  if (text.empty()) return std::nullopt;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    bits = bits * 10 + static_cast<unsigned>(digit - '0');
    if (bits > most) return std::nullopt;
  }
  return bits;
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
  // The shortest address is "::"; the first colon or dot tells the families apart.
  const std::size_t mark = text.find_first_of(".:");
  if (mark == std::string_view::npos) return std::nullopt;
  return text[mark] == ':' ? parse_v6(text) : parse_v4(text);
}

Address Address::masked(unsigned bits) const {
  Address address = *this;
  for (unsigned index = 0; index < address.bytes.size(); ++index) {
    const unsigned kept = std::min(8U, bits > 8 * index ? bits - 8 * index : 0U);
    address.bytes.at(index) &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
  return address;
}

Result<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    return fail(Fault::Permanent, "expected ADDRESS/BITS, such as 10.0.0.0/8");
  }
  const auto address = Address::parse(text.substr(0, slash));
  if (!address) {
    return fail(Fault::Permanent,
                "'" + std::string(text.substr(0, slash)) + "' is no IPv4 or IPv6 address");
  }
  const unsigned most = address->v6 ? 128 : 32;
  const auto bits = parse_bits(text.substr(slash + 1), most);
  if (!bits) {
    return fail(Fault::Permanent, "the mask must be a number from 0 to " + std::to_string(most));
  }
  return Cidr(*address, *bits);
}

}  // namespace conga::bus
