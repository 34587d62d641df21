// SPDX-License-Identifier: GPL-2.0-only
#include "crash_report.hpp"

#include "ending.hpp"
#include "fault_line.hpp"
#include "symbols.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ftw.h>
#include <string_view>

namespace ukl::init {
namespace {

std::string hexadecimal(std::uint64_t number) {
  char text[24];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(number));
  return text;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

// nftw(3) hands nothing through to its callback.
std::string wanted_name, found_path;

int compare_name(const char* path, const struct stat*, int type, struct FTW* position) {
  if (type != FTW_F || wanted_name != path + position->base)
    return 0;
  found_path = path;
  return 1;
}

// Linux logs a file's name without its folders: the program itself, or a library anywhere in the root tree.
std::string path_of(const std::string& file, const std::string& program) {
  char* real = realpath(program.c_str(), nullptr);
  const std::string resolved = real ? real : program;
  free(real);
  if (base_name(resolved) == file)
    return resolved;
  wanted_name = file;
  nftw("/", compare_name, 16, FTW_PHYS | FTW_MOUNT);
  return found_path;
}

// The program's own last fault, or else the last one of any thread (a thread has a number of its own).
bool find_fault(const std::vector<std::string>& lines, pid_t pid, FaultLine& found) {
  bool any = false;
  for (const auto& line : lines) {
    FaultLine fault;
    if (!parse_fault_line(line, fault) || (any && found.thread == pid && fault.thread != pid))
      continue;
    found = fault;
    any = true;
  }
  return any;
}

void report_fault(const std::string& program, pid_t pid, const FaultLine& fault) {
  std::string text = fault.has_address ? "fault address " + hexadecimal(fault.address) + ", " : std::string();
  text += "instruction " + hexadecimal(fault.instruction);
  if (!fault.file.empty()) {
    const std::string name =
        name_of_address(path_of(fault.file, program), fault.mapping, fault.mapping_size, fault.instruction);
    text += " in " + (name.empty() ? fault.file + "+" + hexadecimal(fault.instruction - fault.mapping)
                                   : name + " (" + fault.file + ")");
  }
  if (fault.thread != pid)
    text += ", thread " + std::to_string(fault.thread);
  say(text);
}

} // namespace

void report_crash(const std::string& program, pid_t pid, int signal, const KernelLog& log) {
  const char* name = sigabbrev_np(signal);
  const char* description = sigdescr_np(signal);
  say(program + " was killed by " + (name ? std::string("SIG") + name : "signal " + std::to_string(signal)) +
      (description ? std::string(" (") + description + ")" : std::string()));

  const auto lines = log.lines();
  FaultLine fault;
  const bool faulted =
      signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL || signal == SIGTRAP;
  if (faulted && find_fault(lines, pid, fault))
    report_fault(program, pid, fault);
  if (signal == SIGKILL)
    for (const auto& line : lines)
      if (line.starts_with("Out of memory: "))
        say("the machine ran out of memory: " + line.substr(line.find(' ', 7) + 1));
}

} // namespace ukl::init
