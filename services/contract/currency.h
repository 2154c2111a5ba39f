// SPDX-License-Identifier: Apache-2.0
//
// Currencies: the codes of ISO 4217 that money is in, and how many decimals each has
// (https://www.six-group.com/en/products-services/financial-information/data-standards.html, list
// one: funds, metals and testing codes are left out).

#pragma once

#include <optional>
#include <string_view>

namespace conga::contract {

namespace detail {

/// Ascending, of three letters each.
inline constexpr std::string_view kTwoDecimals =
    "AEDAFNALLAMDANGAOAARSAUDAWGAZNBAMBBDBDTBGNBMDBNDBOBBRLBSDBTNBWPBYNBZDCADCDFCHFCNYCOPCRCCUPCVEC"
    "ZK"
    "DKKDOPDZDEGPERNETBEURFJDFKPGBPGELGHSGIPGMDGTQGYDHKDHNLHTGHUFIDRILSINRIRRJMDKESKGSKHRKPWKYDKZTL"
    "AK"
    "LBPLKRLRDLSLMADMDLMGAMKDMMKMNTMOPMRUMURMVRMWKMXNMYRMZNNADNGNNIONOKNPRNZDPABPENPGKPHPPKRPLNQARR"
    "ON"
    "RSDRUBSARSBDSCRSDGSEKSGDSHPSLESOSSRDSSPSTNSVCSYPSZLTHBTJSTMTTOPTRYTTDTWDTZSUAHUSDUYUUZSVEDVESW"
    "ST"
    "XCDYERZARZMWZWG";
inline constexpr std::string_view kNoDecimals = "BIFCLPDJFGNFISKJPYKMFKRWPYGRWFUGXVNDVUVXAFXOFXPF";
inline constexpr std::string_view kThreeDecimals = "BHDIQDJODKWDLYDOMRTND";

constexpr bool holds(std::string_view codes, std::string_view code) {
  for (std::size_t at = 0; at < codes.size(); at += 3) {
    if (codes.substr(at, 3) == code) return true;
  }
  return false;
}

}  // namespace detail

/// Of the currency's minor unit: 2 for EUR, 0 for JPY, 3 for KWD; nothing for what is no code.
constexpr std::optional<unsigned> decimals_of(std::string_view currency) {
  if (currency.size() != 3) return std::nullopt;
  if (detail::holds(detail::kTwoDecimals, currency)) return 2U;
  if (detail::holds(detail::kNoDecimals, currency)) return 0U;
  if (detail::holds(detail::kThreeDecimals, currency)) return 3U;
  return std::nullopt;
}

}  // namespace conga::contract
