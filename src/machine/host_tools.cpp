// SPDX-License-Identifier: GPL-2.0-only
#include "machine/host_tools.hpp"
#include "support/files.hpp"
#include "support/text.hpp"

#include <cerrno>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// With less than this left, a tool that failed failed for that.
constexpr std::uintmax_t kFull = 1 << 20;

} // namespace

Result<Output> run_host_tool(std::vector<std::string> command, const std::string& install,
                             ProcessOptions how) {
  std::error_code ignored;
  for (const auto* folder : {"/usr/sbin/", "/sbin/"})
    if (command[0].find('/') == std::string::npos && fs::exists(folder + command[0], ignored))
      command[0] = folder + command[0];
  how.environment.emplace_back("LC_ALL=C");
  auto output = run_command(command, how);
  if (!output && output.error().failure == Failure::missing_tool)
    return Error{Failure::missing_tool, output.error().message, install};
  return output;
}

Result<void> write_with_tool(std::vector<std::string> command, const std::string& install,
                             const fs::path& output, Failure failure) {
  const std::string name = command[0];
  TRY_LET(const auto ran, run_host_tool(std::move(command), install));
  if (ran.status == 0)
    return {};
  std::error_code error;
  const auto left = fs::space(output.parent_path(), error);
  if (ran.text.find("No space left on device") != std::string::npos || (!error && left.available < kFull))
    return file_error(output, "write", ENOSPC);
  return Error{failure, fmt::format("{} failed: {}", name, last_line(ran.text)), ""};
}

} // namespace ukl
