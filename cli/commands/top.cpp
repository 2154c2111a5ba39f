// SPDX-License-Identifier: Apache-2.0

#include "cli/commands/top.h"

#include "common/wire/event/packer.h"

#include <algorithm>
#include <utility>

namespace conga::cli {
namespace {

/// A person does not notice that keys are looked at so often only.
constexpr Duration kKeys = std::chrono::milliseconds(50);

// ECMA-48 and xterm: the other screen, without cursor; and back.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";

std::string nothing() {
  std::string bytes;
  Packer(bytes).null();
  return bytes;
}

}  // namespace

Top::Top(ClientSettings settings,
         TopOptions options,
         std::unique_ptr<Keyboard> keyboard,
         Screen& screen,
         Look look)
    : BusCommand(std::move(settings), screen),
      options_(options),
      keyboard_(std::move(keyboard)),
      look_(look) {
  if (options_.once || look_.json) keyboard_.reset();
}

Top::~Top() {
  leave();
}

void Top::begin(const Time& now) {
  if (keyboard_) {
    drawn_ = true;
    screen().print(kEnter);
    draw();
  }
  ask_all(now);
}

void Top::ask_all(const Time& now) {
  asking_ = true;
  next_round_ = now.steady + options_.interval;
  bus_.reset();
  rules_.reset();
  sidecar_.reset();
  bus_request_ = ask(now, "bus.status");
  rules_request_ = ask(now, "rules.list");
  ask(now, "sidecar.status");
}

void Top::answered(const Time& now, const Answer& answer) {
  auto& into = answer.request == bus_request_     ? bus_
               : answer.request == rules_request_ ? rules_
                                                  : sidecar_;
  into = answer.result;
  weigh(now);
}

/// A sidecar that is away is a part of the picture.
bool Top::refused(const Time& now, const Answer& answer) {
  if (answer.request == bus_request_ || answer.request == rules_request_) return false;
  sidecar_ = nothing();
  weigh(now);
  return true;
}

void Top::weigh(const Time& now) {
  if (!bus_ || !rules_ || !sidecar_) return;
  asking_ = false;
  view_.take(measurement_of(
      now.steady, Value::trusted(*bus_), Value::trusted(*rules_), Value::trusted(*sidecar_)));
  if (keyboard_) return draw();
  if (!view_.is_ready()) return;
  screen().print(look_.json ? view_.json() : view_.text(look_));
  finish(ExitCode::Done);
}

void Top::turn(const Time& now) {
  if (!asking_ && now.steady >= next_round_) ask_all(now);
  if (!keyboard_ || now.steady < next_keys_) return;
  next_keys_ = now.steady + kKeys;
  const std::string keys = keyboard_->pressed();
  for (const char key : keys) {
    if (view_.press(key)) continue;
    leave();
    return finish(ExitCode::Done);
  }
  if (!keys.empty()) draw();
}

std::optional<SteadyTime> Top::due() const {
  if (keyboard_) return asking_ ? next_keys_ : std::min(next_keys_, next_round_);
  return asking_ ? std::nullopt : std::optional(next_round_);
}

void Top::draw() {
  const Keyboard::Size size = keyboard_->size();
  Look look = look_;
  look.width = size.width;
  std::string text = "\x1b[H";
  std::string lines = view_.draw(size.height, look);
  for (const char letter : lines) {
    if (letter == '\n') text += "\x1b[K";
    text += letter;
  }
  screen().print(text + "\x1b[K\x1b[J");
}

void Top::drain(const Time& now) {
  leave();
  BusCommand::drain(now);
}

void Top::leave() {
  if (!std::exchange(drawn_, false)) return;
  screen().print(kLeave);
  screen().flush();
}

}  // namespace conga::cli
