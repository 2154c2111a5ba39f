// SPDX-License-Identifier: Apache-2.0

#include "cli/graphviz.h"

#include <csignal>
#include <cstdio>
#include <sys/wait.h>

namespace conga::cli {
namespace {

constexpr int kAbsent = 127;  // What a shell answers for a program that it does not find.

/// What the program answered, or -1.
int run_dot(const std::string& graph) {
  std::FILE* const dot = ::popen("command -v dot >/dev/null || exit 127; exec dot -Tsvg", "we");
  if (dot == nullptr) return -1;
  std::fwrite(graph.data(), 1, graph.size(), dot);
  const int status = ::pclose(dot);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

Result<> print_svg(const std::string& graph) {
  // One that ends early must not end us.
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const int answer = run_dot(graph);
  std::signal(SIGPIPE, before);
  if (answer == 0) return {};
  if (answer == kAbsent) {
    return fail(Fault::Permanent,
                "SVG is drawn by the program dot, which is not there: install graphviz, or take "
                "--dot or --mermaid");
  }
  return fail(Fault::Permanent, "the program dot could not draw the graph");
}

}  // namespace conga::cli
