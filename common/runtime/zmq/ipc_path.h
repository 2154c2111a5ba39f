// SPDX-License-Identifier: Apache-2.0
//
// IpcPath: sole ownership of the path of an ipc:// endpoint. libzmq binds a path that another
// process is bound to without an error and steals it, and leaves the file behind after a kill; a
// lock beside the path makes the second owner an error and the stale file removable.

#pragma once

#include "common/core/result.h"

#include <memory>
#include <string>

namespace conga {

class IpcPath {
public:
  /// Makes the folder (0700), takes `path`.lock and removes a stale file at `path`. Permanent if
  /// the path is too long for a socket address, Transient with code `InUse` if it is owned.
  static Result<std::unique_ptr<IpcPath>> own(const std::string& path);

  IpcPath(const IpcPath&) = delete;
  IpcPath& operator=(const IpcPath&) = delete;
  ~IpcPath();

private:
  explicit IpcPath(int lock) : lock_(lock) {}

  int lock_;
};

}  // namespace conga
