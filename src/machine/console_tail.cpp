// SPDX-License-Identifier: GPL-2.0-only
#include "machine/console_tail.hpp"

#include "machine/hypervisor.hpp"
#include "support/text.hpp"

#include <csignal>
#include <cstring>
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

// QEMU puts its program's name in front of what it says.
std::string without_name(const std::string& line) {
  const std::string name = std::string(qemu().program) + ": ";
  return line.starts_with(name) ? line.substr(name.size()) : line;
}

} // namespace

void ConsoleTail::add(std::string_view bytes) {
  text_ += bytes;
  if (text_.size() > kKept)
    text_.erase(0, text_.size() - kKept);
}

Ending ConsoleTail::explain(const std::string& image, const QemuEnd& qemu, std::uint64_t memory) const {
  // Texts of Linux's init/initramfs.c and mm/oom_kill.c.
  for (const auto* sign :
       {"Initramfs unpacking failed: write error", "Initramfs unpacking failed: panic_show_mem",
        "System is deadlocked on memory", "Out of memory: compulsory panic_on_oom is enabled",
        "Failed to allocate", "Failed to execute /init (error -12)"})
    if (text_.find(sign) != std::string::npos)
      return {{Failure::too_little_memory, fmt::format("{} ran out of memory while it started", image),
               fmt::format("give the machine more than its {0} MiB: ukl run -m {1}M", memory >> 20,
                           memory >> 19)},
              fmt::format("Out of memory at its start: {} MiB", memory >> 20)};
  if (const std::string panic = behind(text_, "Kernel panic - not syncing: "); !panic.empty())
    return {{Failure::machine, fmt::format("the kernel of {} panicked: {}", image, panic),
             "the lines above tell where; `ukl run --append ignore_loglevel` shows all that the kernel says"},
            "Kernel panic: " + panic};
  const auto said = without_name(last_line(qemu.errors));
  if (qemu.status > 128)
    return {{Failure::machine,
             fmt::format("the machine of {} was killed: QEMU ended by signal {} ({}){}{}", image,
                         qemu.status - 128, strsignal(qemu.status - 128), said.empty() ? "" : ": ", said),
             qemu.status == 128 + SIGKILL
                 ? "somebody killed it, or this machine is short of memory (see dmesg)"
                 : "a fault of QEMU's; `ukl run --dry-run` prints its command line"},
            "Killed by the host"};
  if (!said.empty())
    return {{Failure::machine, fmt::format("QEMU ended: {}", said),
             "`ukl run --dry-run` prints its command line"},
            "QEMU ended: " + said};
  // A fault that the kernel could not even report resets the machine, and so does a program that asks for it.
  if (qemu.reason == "guest-reset")
    return {{Failure::machine,
             fmt::format("the machine of {} was reset without a word: a triple fault, or a program did it",
                         image),
             "`ukl run --append ignore_loglevel` shows all that its kernel says"},
            "Reset without a word"};
  return {{Failure::machine, fmt::format("the machine of {} ended without a status of its program", image),
           "`ukl run --append ignore_loglevel` shows all that its kernel says"},
          "Ended without a status"};
}

std::string ConsoleTail::out_of_memory(std::uint64_t memory) const {
  const auto line = behind(text_, "ukl-init: the machine ran out of memory");
  if (line.empty())
    return {};
  const auto open = line.find('('), close = line.find(')', open);
  const auto name = close == std::string::npos ? "a program" : line.substr(open + 1, close - open - 1);
  return fmt::format("Out of memory in the guest: {}, {} MiB", name, memory >> 20);
}

} // namespace ukl
