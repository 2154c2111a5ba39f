// SPDX-License-Identifier: Apache-2.0
//
// PosixFiles: Files on the operating system's file system. Stateless; several may be used at once.

#pragma once

#include "common/io/files.h"

#include <memory>
#include <string>
#include <vector>

namespace conga {

class PosixFiles final : public Files {
public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<> make_directory(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& directory) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> sync_directory(const std::string& directory) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
};

}  // namespace conga
