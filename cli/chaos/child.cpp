// SPDX-License-Identifier: Apache-2.0

#include "cli/chaos/child.h"

#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace conga::cli {
namespace {

constexpr int kSignalled = 128;  // As shells answer.
constexpr int kReadable = 0644;

/// posix_spawn()'s actions and attributes, with their ends.
class Preparation {
public:
  Preparation() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  }

  Preparation(const Preparation&) = delete;
  Preparation& operator=(const Preparation&) = delete;

  ~Preparation() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void open(int descriptor, const char* path, int flags) {
    ::posix_spawn_file_actions_addopen(&actions_, descriptor, path, flags, kReadable);
  }

  void copy(int from, int to) { ::posix_spawn_file_actions_adddup2(&actions_, from, to); }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }

  const posix_spawnattr_t* attributes() const { return &attributes_; }

private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Ours, and what is given instead or beside.
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& more) {
  std::vector<std::string> all;
  for (const auto& [name, value] : more) all.push_back(name + "=" + value);
  for (char** each = ::environ; *each != nullptr; ++each) {
    const std::string_view entry(*each);
    const auto same = [entry](const auto& given) {
      return entry.starts_with(given.first) && entry.substr(given.first.size()).starts_with('=');
    };
    if (std::none_of(more.begin(), more.end(), same)) all.emplace_back(entry);
  }
  return all;
}

/// Readable when the process has ended. glibc 2.36 declares pidfd_open() for C alone.
int open_process(int process) {
  return static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
}

int milliseconds_of(Duration duration) {
  using std::chrono::milliseconds;
  return static_cast<int>(std::chrono::ceil<milliseconds>(duration).count());
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(const Command& command) {
  Preparation preparation;
  constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
  preparation.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  preparation.open(STDOUT_FILENO, command.output.c_str(), kWrite);
  if (command.errors == command.output) {
    preparation.copy(STDOUT_FILENO, STDERR_FILENO);
  } else {
    preparation.open(STDERR_FILENO, command.errors.c_str(), kWrite);
  }
  std::vector<std::string> argv = command.argv;
  std::vector<std::string> environment = environment_with(command.environment);
  pid_t process = 0;
  const int fault = ::posix_spawnp(&process,
                                   command.argv.front().c_str(),
                                   preparation.actions(),
                                   preparation.attributes(),
                                   pointers_to(argv).data(),
                                   pointers_to(environment).data());
  if (fault != 0) {
    return fail(Fault::Permanent,
                command.argv.front() + " cannot be started: " + std::strerror(fault));
  }
  return std::unique_ptr<Child>(new Child(process, open_process(process)));
}

Child::~Child() {
  if (!code_) {
    signal(SIGKILL);
    reap(true);
  }
  if (descriptor_ >= 0) ::close(descriptor_);
}

/// To all of its group: it may be a shell.
void Child::signal(int number) const {
  ::kill(-process_, number);
}

std::optional<int> Child::reap(bool block) {
  if (code_) return code_;
  int status = 0;
  if (::waitpid(process_, &status, block ? 0 : WNOHANG) != process_) return std::nullopt;
  code_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalled + WTERMSIG(status);
  return code_;
}

std::optional<int> Child::wait(Duration patience, int interrupt) {
  if (code_) return code_;
  std::array<pollfd, 2> polled{{{.fd = descriptor_, .events = POLLIN, .revents = 0},
                                {.fd = interrupt, .events = POLLIN, .revents = 0}}};
  ::poll(polled.data(), polled.size(), milliseconds_of(patience));
  return reap(false);
}

int Child::stop(Duration patience) {
  if (code_) return *code_;
  signal(SIGTERM);
  if (const auto code = wait(patience, -1)) {
    signal(SIGKILL);  // Whatever a shell left behind.
    return *code;
  }
  signal(SIGKILL);
  return reap(true).value_or(kSignalled + SIGKILL);
}

}  // namespace conga::cli
