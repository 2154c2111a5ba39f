// SPDX-License-Identifier: Apache-2.0

#include "cli/line_source.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace conga::cli {
namespace {

constexpr std::size_t kLongestLine = std::size_t{16} << 20U;
constexpr std::size_t kChunk = std::size_t{64} << 10U;

class RepeatedLine final : public LineSource {
public:
  RepeatedLine(std::string line, std::uint64_t count) : line_(std::move(line)), count_(count) {}

  Next next(std::string& line) override {
    if (given_ == count_) return Next::End;
    ++given_;
    line = line_;
    return Next::Line;
  }

  std::optional<double> fraction() const override {
    return static_cast<double>(given_) / static_cast<double>(count_);
  }

private:
  std::string line_;
  std::uint64_t count_;
  std::uint64_t given_ = 0;
};

/// Lines of a file descriptor, which it closes.
class DescriptorLines final : public LineSource {
public:
  DescriptorLines(int descriptor, std::string name, std::optional<std::size_t> size)
      : descriptor_(descriptor), name_(std::move(name)), size_(size) {}

  DescriptorLines(const DescriptorLines&) = delete;
  DescriptorLines& operator=(const DescriptorLines&) = delete;

  ~DescriptorLines() override { ::close(descriptor_); }

  Next next(std::string& line) override {
    while (true) {
      const std::size_t end = buffer_.find('\n', searched_);
      if (end != std::string::npos) return give(line, end, end + 1);
      searched_ = buffer_.size();
      if (at_end_)
        return buffer_.size() == start_ ? Next::End : give(line, buffer_.size(), buffer_.size());
      if (buffer_.size() - start_ > kLongestLine) {
        line = name_ + ": a line is longer than 16 MiB; events are at most 1 MiB";
        return Next::Broken;
      }
      if (!poll_input(0)) return Next::Later;
      if (!fill()) {
        line = name_ + ": " + std::strerror(errno);
        return Next::Broken;
      }
    }
  }

  void wait() override { poll_input(-1); }

  std::optional<double> fraction() const override {
    if (!size_ || *size_ == 0) return std::nullopt;
    const std::size_t given = read_ - (buffer_.size() - start_);
    return static_cast<double>(given) / static_cast<double>(*size_);
  }

private:
  Next give(std::string& line, std::size_t end, std::size_t next) {
    line.assign(buffer_, start_, end - start_);
    if (line.ends_with('\r')) line.pop_back();
    start_ = next;
    searched_ = next;
    return Next::Line;
  }

  /// True if reading would not block; a fault counts, since read() will tell it.
  bool poll_input(int milliseconds) const {
    pollfd wanted{.fd = descriptor_, .events = POLLIN, .revents = 0};
    return ::poll(&wanted, 1, milliseconds) != 0;
  }

  bool fill() {
    buffer_.erase(0, start_);
    start_ = 0;
    searched_ = buffer_.size();
    std::array<char, kChunk> chunk{};
    const ssize_t size = ::read(descriptor_, chunk.data(), chunk.size());
    if (size < 0) return errno == EINTR || errno == EAGAIN;
    at_end_ = size == 0;
    buffer_.append(chunk.data(), static_cast<std::size_t>(size));
    read_ += static_cast<std::size_t>(size);
    return true;
  }

  int descriptor_;
  std::string name_;
  std::optional<std::size_t> size_;
  std::string buffer_;
  std::size_t start_ = 0;     ///< Of the next line in the buffer.
  std::size_t searched_ = 0;  ///< No line end before here.
  std::size_t read_ = 0;
  bool at_end_ = false;
};

Result<int> open_descriptor(const std::string& path) {
  const int descriptor =
      path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(Fault::Permanent, path + ": " + std::strerror(errno));
  return descriptor;
}

}  // namespace

std::unique_ptr<LineSource> repeat_line(std::string line, std::uint64_t count) {
  return std::make_unique<RepeatedLine>(std::move(line), count);
}

Result<std::unique_ptr<LineSource>> open_lines(const std::string& path) {
  const auto descriptor = open_descriptor(path);
  if (!descriptor) return descriptor.failure();

  struct stat about {};

  std::optional<std::size_t> size;
  if (::fstat(*descriptor, &about) == 0 && S_ISREG(about.st_mode)) {
    size = static_cast<std::size_t>(about.st_size);
  }
  return std::unique_ptr<LineSource>(std::make_unique<DescriptorLines>(
      *descriptor, path == "-" ? std::string("standard input") : path, size));
}

std::unique_ptr<LineSource> lines_of(int descriptor, const std::string& name) {
  return std::make_unique<DescriptorLines>(descriptor, name, std::nullopt);
}

Result<std::string> read_text(const std::string& path) {
  const auto descriptor = open_descriptor(path);
  if (!descriptor) return descriptor.failure();
  std::string text;
  std::array<char, kChunk> chunk{};
  ssize_t size = 1;
  while (size > 0 && text.size() <= kLongestLine) {
    size = ::read(*descriptor, chunk.data(), chunk.size());
    if (size > 0) text.append(chunk.data(), static_cast<std::size_t>(size));
  }
  const int error = errno;
  ::close(*descriptor);
  if (size < 0) return fail(Fault::Permanent, path + ": " + std::strerror(error));
  if (size > 0) return fail(Fault::Permanent, path + " is larger than 16 MiB");
  return text;
}

}  // namespace conga::cli
