// SPDX-License-Identifier: Apache-2.0

#include "common/io/small_files.h"

namespace conga {
namespace {

Result<> write_new(Files& files, const std::string& path, std::string_view text) {
  const auto removed = files.remove(path);
  if (!removed && removed.error().code != "NotFound") return removed;
  const auto file = files.open(path, OpenMode::Create);
  if (!file) return file.failure();
  if (auto written = (*file)->write(0, text); !written) return written;
  return (*file)->sync();
}

}  // namespace

Result<std::string> read_file(Files& files, const std::string& path) {
  const auto file = files.open(path, OpenMode::Read);
  if (!file) return file.failure();
  const auto size = (*file)->size();
  if (!size) return size.failure();
  std::string text(*size, '\0');
  const auto got = (*file)->read(0, text);
  if (!got) return got.failure();
  text.resize(*got);
  return text;
}

Result<> replace_file(Files& files, const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  if (auto written = write_new(files, fresh, text); !written) return written;
  if (auto renamed = files.rename(fresh, path); !renamed) return renamed;
  return files.sync_directory(path.substr(0, path.rfind('/')));
}

}  // namespace conga
