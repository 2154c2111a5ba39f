// SPDX-License-Identifier: Apache-2.0
//
// Result: the outcome of an operation that the world, not a bug, can make fail.

#pragma once

#include <tl/expected.hpp>

#include <string>
#include <utility>

namespace conga {

/// What a caller can do about a failure. Retry and dead-letter decisions read only this.
enum class Fault {
  Transient,  ///< Trying again later may work: a full disk, an absent peer.
  Permanent,  ///< Trying again will not: malformed input, an unknown field.
  Corrupt,    ///< Stored data is damaged: stop and call a human.
};

struct Error {
  Fault fault = Fault::Permanent;
  std::string what;  ///< One sentence for an operator, naming the file, field or peer.
  std::string code;  ///< A stable CamelCase word for programs ("InvalidEvent"); may be empty.
};

/// A T or an Error. A class, not an alias, so that dropping one unread is a compile error.
template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
  using tl::expected<T, Error>::expected;

  /// Passes the error on: `if (!file) return file.failure();`
  tl::unexpected<Error> failure() const { return tl::unexpected<Error>(this->error()); }
};

/// `return fail(Fault::Permanent, "...")` in a function returning any Result.
inline tl::unexpected<Error> fail(Fault fault, std::string what, std::string code = {}) {
  return tl::unexpected<Error>({fault, std::move(what), std::move(code)});
}

}  // namespace conga
