// SPDX-License-Identifier: Apache-2.0

#include "common/io/read_ahead.h"

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

namespace conga {
namespace {

constexpr std::size_t kPiece = std::size_t{4} << 20U;
constexpr std::size_t kMuch = std::size_t{64} << 10U;  ///< Less is not read from end to end.

/// So many bytes of a file, fewer only at its end.
struct Piece {
  std::uint64_t offset = 0;
  Result<std::string> bytes{std::string()};

  std::uint64_t end() const { return offset + (bytes ? bytes->size() : 0); }

  bool has(std::uint64_t at) const { return bytes && at >= offset && at < end(); }

  bool is_last() const { return !bytes || bytes->size() < kPiece; }
};

class ReadAheadFile final : public File {
public:
  explicit ReadAheadFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  ReadAheadFile(const ReadAheadFile&) = delete;
  ReadAheadFile& operator=(const ReadAheadFile&) = delete;

  ~ReadAheadFile() override { settle(); }

  Result<std::size_t> read(std::uint64_t offset, std::span<char> out) override {
    if (out.size() < kMuch && !piece_.has(offset)) {
      settle();
      return file_->read(offset, out);
    }
    std::size_t done = 0;
    while (done < out.size()) {
      const std::uint64_t at = offset + done;
      if (!piece_.has(at)) turn_to(at);
      if (!piece_.bytes) return read_plainly(offset, out);
      if (!piece_.has(at)) break;
      const std::string_view there = std::string_view(*piece_.bytes).substr(at - piece_.offset);
      const std::size_t taken = std::min(there.size(), out.size() - done);
      std::copy_n(there.begin(), taken, out.begin() + static_cast<std::ptrdiff_t>(done));
      done += taken;
    }
    return done;
  }

  Result<> write(std::uint64_t /*offset*/, std::string_view /*bytes*/) override { return refuse(); }

  Result<> write_zeros(std::uint64_t /*offset*/, std::uint64_t /*size*/) override {
    return refuse();
  }

  Result<> write_end(std::uint64_t /*offset*/,
                     std::string_view /*bytes*/,
                     std::size_t /*zeros*/) override {
    return refuse();
  }

  Result<> sync() override { return refuse(); }

  void write_back(std::uint64_t /*offset*/, std::uint64_t /*size*/) override {}

  Result<std::uint64_t> size() override { return file_->size(); }

  Result<> resize(std::uint64_t /*size*/) override { return refuse(); }

private:
  /// Where a piece cannot be read, a part of it may be.
  Result<std::size_t> read_plainly(std::uint64_t offset, std::span<char> out) {
    piece_ = {};
    return file_->read(offset, out);
  }

  static Result<> refuse() {
    return fail(Fault::Permanent, "a file that was opened for reading cannot be written");
  }

  /// Makes the piece at `at` the current one, and has the next fetched.
  void turn_to(std::uint64_t at) {
    settle();
    const bool next = fetched_ && fetched_->has(at);
    piece_ = next ? std::move(*fetched_) : fetch(at);
    fetched_.reset();
    if (piece_.is_last()) return;
    fetching_ = std::async(std::launch::async, [this, from = piece_.end()] { return fetch(from); });
  }

  /// Afterwards no thread uses the file.
  void settle() {
    if (fetching_.valid()) fetched_ = fetching_.get();
  }

  Piece fetch(std::uint64_t offset) {
    std::string bytes(kPiece, '\0');
    const auto got = file_->read(offset, bytes);
    if (!got) return {offset, got.failure()};
    bytes.resize(*got);
    return {offset, std::move(bytes)};
  }

  std::unique_ptr<File> file_;
  Piece piece_;
  std::optional<Piece> fetched_;
  std::future<Piece> fetching_;
};

}  // namespace

Result<std::unique_ptr<File>> ReadAhead::open(const std::string& path, OpenMode mode) {
  auto file = files_.open(path, mode);
  if (!file || mode != OpenMode::Read) return file;
  return std::unique_ptr<File>(std::make_unique<ReadAheadFile>(std::move(*file)));
}

}  // namespace conga
