// SPDX-License-Identifier: Apache-2.0

#include "cli/terminal.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace conga::cli {
namespace {

void write_all(std::FILE* stream, std::string_view text) {
  // A reader that has gone ends us by SIGPIPE; there is nobody to tell of any other fault.
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stream));
  static_cast<void>(std::fflush(stream));
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool wants_colour() {
  const char* kind = std::getenv("TERM");
  const bool is_dumb = kind == nullptr || std::string_view(kind) == "dumb";
  return ::isatty(STDOUT_FILENO) == 1 && !is_dumb && !is_set("NO_COLOR");
}

std::size_t columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  return known ? size.ws_col : Look{}.width;
}

}  // namespace

void TerminalScreen::note(std::string_view text) {
  flush();
  write_all(stderr, text);
}

void TerminalScreen::flush() {
  if (out_.empty()) return;
  write_all(stdout, out_);
  out_.clear();
}

Look look_of_terminal(bool json) {
  return {.json = json,
          .colour = !json && wants_colour(),
          .progress = ::isatty(STDERR_FILENO) == 1,
          .width = columns()};
}

bool stdin_is_terminal() {
  return ::isatty(STDIN_FILENO) == 1;
}

bool confirm(std::string_view question) {
  write_all(stderr, question);
  std::array<char, 16> line{};
  if (std::fgets(line.data(), line.size(), stdin) == nullptr) return false;
  const std::string_view answer(line.data());
  return answer == "y\n" || answer == "yes\n" || answer == "Y\n";
}

}  // namespace conga::cli
