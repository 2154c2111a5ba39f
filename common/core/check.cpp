// SPDX-License-Identifier: Apache-2.0

#include "common/core/check.h"

#include <cstdio>
#include <cstdlib>

namespace conga {

void check_failed(const char* file, int line, std::string_view message) {
  std::fprintf(stderr,
               "%s:%d: programming error: %.*s\n",
               file,
               line,
               static_cast<int>(message.size()),
               message.data());
  std::abort();
}

}  // namespace conga
