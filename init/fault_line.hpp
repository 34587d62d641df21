// SPDX-License-Identifier: GPL-2.0-only
// The line that Linux logs about a fault that ends a process. Header-only: init reads it, the tool's tests
// too.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace ukl::init {

struct FaultLine {
  long thread = 0;               ///< the thread's number
  bool has_address = false;      ///< only page faults have one
  std::uint64_t address = 0;     ///< what could not be read, written or executed
  std::uint64_t instruction = 0; ///< where the program was
  std::string file; ///< the mapped file that holds the instruction, without its folders; may be empty
  std::uint64_t mapping = 0;      ///< where that mapping starts
  std::uint64_t mapping_size = 0; ///< and how long it is
};

/// The hexadecimal number after `label`, looked for from `from` on; false if the label is not there.
inline bool number_after(const std::string& line, std::string_view label, std::size_t from,
                         std::uint64_t& number) {
  const auto at = line.find(label, from);
  if (at == std::string::npos)
    return false;
  number = strtoull(line.c_str() + at + label.size(), nullptr, 16);
  return true;
}

/// Reads one of these (arch/x86/mm/fault.c show_signal_msg, arch/x86/kernel/traps.c show_signal, mm/memory.c
/// print_vma_addr); false for any other line:
///   app[73]: segfault at 10 ip 0000000000401136 sp 00007ffe error 4 in app[401000+1000] likely on CPU 0 …
///   traps: app[73] trap divide error ip:401136 sp:7ffe error:0 in app[401000+1000]
/// Linux 6.12 puts before the mapping where the instruction lies in the file: app[1136,401000+1000].
inline bool parse_fault_line(const std::string& line, FaultLine& fault) {
  fault = {};
  auto what = line.find("]: segfault at ");
  if (what != std::string::npos)
    fault.has_address = number_after(line, " at ", what, fault.address);
  else if (line.starts_with("traps: "))
    what = line.find("] ");
  if (what == std::string::npos)
    return false;
  const auto thread = line.rfind('[', what);
  if (thread == std::string::npos)
    return false;
  fault.thread = strtol(line.c_str() + thread + 1, nullptr, 10);
  if (!number_after(line, fault.has_address ? " ip " : " ip:", what, fault.instruction))
    return false;
  const auto in = line.find(" in ", line.find(" error", what));
  const auto bracket = line.find('[', in);
  if (in != std::string::npos && bracket != std::string::npos) {
    fault.file = line.substr(in + 4, bracket - in - 4);
    const auto comma = line.find(',', bracket), plus = line.find('+', bracket);
    number_after(line, comma < plus ? "," : "[", bracket, fault.mapping);
    number_after(line, "+", bracket, fault.mapping_size);
  }
  return true;
}

} // namespace ukl::init
