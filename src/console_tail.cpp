// SPDX-License-Identifier: GPL-2.0-only
#include "console_tail.hpp"

#include "machine_command.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::size_t kKept = 16384;

// The rest of the line behind `label`; empty if the label is not in the text.
std::string behind(const std::string& text, std::string_view label) {
  const auto at = text.find(label);
  if (at == std::string::npos)
    return {};
  const auto start = at + label.size();
  return text.substr(start, text.find_first_of("\r\n", start) - start);
}

std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

// QEMU puts its program's name in front of what it says.
std::string without_name(const std::string& line) {
  const std::string name = std::string(kQemu) + ": ";
  return line.starts_with(name) ? line.substr(name.size()) : line;
}

} // namespace

void ConsoleTail::add(std::string_view bytes) {
  text_ += bytes;
  if (text_.size() > kKept)
    text_.erase(0, text_.size() - kKept);
}

Error ConsoleTail::explain(const std::string& image, const std::string& errors) const {
  const std::string panic = behind(text_, "Kernel panic - not syncing: ");
  // Texts of Linux's init/initramfs.c and mm/oom_kill.c.
  for (const auto* sign :
       {"Initramfs unpacking failed: write error", "Initramfs unpacking failed: panic_show_mem",
        "System is deadlocked on memory", "Out of memory: compulsory panic_on_oom is enabled",
        "Failed to allocate", "Failed to execute /init (error -12)"})
    if (text_.find(sign) != std::string::npos)
      return {Failure::too_little_memory, fmt::format("{} ran out of memory while it started", image),
              "give the machine more: ukl run -m 512M"};
  if (!panic.empty())
    return {Failure::machine, fmt::format("the kernel of {} panicked: {}", image, panic),
            "the lines above tell where; `ukl run --append ignore_loglevel` shows all that the kernel says"};
  if (!errors.empty())
    return {Failure::machine, fmt::format("QEMU ended: {}", without_name(last_line(errors))),
            "`ukl run --dry-run` prints its command line"};
  return {Failure::machine, fmt::format("the machine of {} ended without a status of its program", image),
          "`ukl run --append ignore_loglevel` shows all that its kernel says"};
}

bool ConsoleTail::out_of_memory() const {
  return text_.find("ukl-init: the machine ran out of memory") != std::string::npos;
}

} // namespace ukl
