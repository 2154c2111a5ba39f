// SPDX-License-Identifier: Apache-2.0

#include "cli/line_source.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

using conga::cli::LineSource;

namespace {

/// A file with that text, gone at the end of the test.
class ScratchFile {
public:
  explicit ScratchFile(const std::string& text) {
    const int descriptor = ::mkstemp(path_.data());
    REQUIRE(descriptor >= 0);
    REQUIRE(::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(descriptor);
  }

  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  ~ScratchFile() { std::remove(path_.c_str()); }

  const std::string& path() const { return path_; }

private:
  std::string path_ = "/tmp/conga-lines-XXXXXX";
};

std::string all_of(LineSource& lines) {
  std::string all;
  std::string line;
  while (lines.next(line) == LineSource::Next::Line) all += "[" + line + "]";
  return all;
}

}  // namespace

TEST_CASE("a file comes line by line, with or without an end of line at its end") {
  const ScratchFile ended("one\r\ntwo\n\nfour\n");
  CHECK(all_of(**conga::cli::open_lines(ended.path())) == "[one][two][][four]");
  const ScratchFile open("one\ntwo");
  CHECK(all_of(**conga::cli::open_lines(open.path())) == "[one][two]");
  const ScratchFile empty("");
  CHECK(all_of(**conga::cli::open_lines(empty.path())).empty());
}

TEST_CASE("lines longer than a read come whole") {
  const std::string longer(200'000, 'x');
  const ScratchFile file(longer + "\n" + longer + "\n");
  CHECK(all_of(**conga::cli::open_lines(file.path())) == "[" + longer + "][" + longer + "]");
}

TEST_CASE("a file knows how much of it has been given out") {
  const ScratchFile file("12345\n123\n");
  const auto lines = conga::cli::open_lines(file.path());
  REQUIRE(lines);
  std::string line;
  CHECK((*lines)->fraction() == 0.0);
  CHECK((*lines)->next(line) == LineSource::Next::Line);
  CHECK((*lines)->fraction() == doctest::Approx(0.6));
}

TEST_CASE("a folder is no file") {
  const auto lines = conga::cli::open_lines("/tmp");
  REQUIRE(lines);
  std::string line;
  CHECK((*lines)->next(line) == LineSource::Next::Broken);
  CHECK(line == "/tmp: Is a directory");
}

TEST_CASE("a line that no event could be breaks the file instead of filling the memory") {
  const ScratchFile file(std::string((std::size_t{17} << 20U), 'x'));
  const auto lines = conga::cli::open_lines(file.path());
  REQUIRE(lines);
  std::string line;
  CHECK((*lines)->next(line) == LineSource::Next::Broken);
  CHECK(line.find("16 MiB") != std::string::npos);
}

TEST_CASE("an @file is read whole") {
  const ScratchFile file("{\n}");
  CHECK(conga::cli::read_text(file.path()).value() == "{\n}");
  CHECK_FALSE(conga::cli::read_text("/nowhere"));
}
