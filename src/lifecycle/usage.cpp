// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/usage.hpp"
#include "support/process_stat.hpp"

#include <fmt/format.h>
#include <fstream>
#include <string>
#include <unistd.h>

namespace ukl {

Usage usage_of(pid_t pid) {
  Usage usage;
  const auto fields = process_stat(pid);
  const auto ticks = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  usage.cpu = std::chrono::milliseconds((fields[14] + fields[15]) * 1000 / ticks);
  usage.threads = static_cast<unsigned>(fields[20]);
  usage.memory = fields[24] * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream io(fmt::format("/proc/{}/io", pid));
  std::string name;
  for (std::uint64_t value; io >> name >> value;) {
    if (name == "read_bytes:")
      usage.read = value;
    if (name == "write_bytes:")
      usage.written = value;
  }
  return usage;
}

} // namespace ukl
