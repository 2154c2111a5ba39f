// SPDX-License-Identifier: Apache-2.0

#include "cli/keyboard.h"

#include <array>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace conga::cli {
namespace {

class TerminalKeyboard final : public Keyboard {
public:
  explicit TerminalKeyboard(const termios& before) : before_(before) {
    termios raw = before;
    // Signals stay: Ctrl-C ends as everywhere.
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &raw));
  }

  ~TerminalKeyboard() override { static_cast<void>(::tcsetattr(STDIN_FILENO, TCSANOW, &before_)); }

  std::string pressed() override {
    std::string keys;
    std::array<char, 64> buffer{};
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    while (::poll(&input, 1, 0) == 1 && (input.revents & POLLIN) != 0) {
      const auto got = ::read(STDIN_FILENO, buffer.data(), buffer.size());
      if (got <= 0) break;
      keys.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return keys;
  }

  Size size() override {
    winsize window{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    return known ? Size{.width = window.ws_col, .height = window.ws_row} : Size{};
  }

private:
  termios before_;
};

}  // namespace

std::unique_ptr<Keyboard> open_keyboard() {
  termios before{};
  if (::isatty(STDOUT_FILENO) != 1 || ::tcgetattr(STDIN_FILENO, &before) != 0) return nullptr;
  return std::make_unique<TerminalKeyboard>(before);
}

}  // namespace conga::cli
