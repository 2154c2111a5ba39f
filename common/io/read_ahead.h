// SPDX-License-Identifier: Apache-2.0
//
// ReadAhead: Files for whoever reads large files from their beginning to their end, once: while one
// piece is worked on, a thread fetches the next. What a piece has is as old as its fetching, so it
// is nothing for a file that is read again and again while it grows.

#pragma once

#include "common/io/files.h"

#include <memory>
#include <string>
#include <vector>

namespace conga {

class ReadAhead final : public Files {
public:
  /// `files` must outlive it and all that it opened, and allow that a file is read by another
  /// thread while others are opened.
  explicit ReadAhead(Files& files) : files_(files) {}

  /// A file that is opened for reading alone is read ahead; any other is as `files` opens it.
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;

  Result<> make_directory(const std::string& path) override { return files_.make_directory(path); }

  Result<std::vector<std::string>> list(const std::string& directory) override {
    return files_.list(directory);
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    return files_.rename(from, to);
  }

  Result<> remove(const std::string& path) override { return files_.remove(path); }

  Result<> sync_directory(const std::string& directory) override {
    return files_.sync_directory(directory);
  }

  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return files_.lock(path);
  }

private:
  Files& files_;
};

}  // namespace conga
