// SPDX-License-Identifier: GPL-2.0-only
#include "console.hpp"

#include <array>
#include <cctype>
#include <csignal>
#include <sstream>

namespace boot {

std::vector<CheckResult> check_results(std::string_view console) {
  constexpr std::string_view mark = "[check] ";
  std::vector<CheckResult> results;
  std::string open; // the program that has started and not ended
  std::string output;
  std::istringstream lines{std::string(console)};
  const auto close_open = [&] {
    if (!open.empty())
      results.push_back({CheckResult::Kind::failed, open, "it never ended", output});
    open.clear();
    output.clear();
  };
  for (std::string line; std::getline(lines, line);) {
    const auto at = line.find(mark);
    if (at == std::string::npos) {
      if (!open.empty())
        output += line + "\n";
      continue;
    }
    std::istringstream words(line.substr(at + mark.size()));
    std::string name, what, detail;
    words >> name >> what;
    std::getline(words >> std::ws, detail);
    if (name == "end:")
      break;
    if (what == "starts") {
      close_open();
      open = name;
    } else if (name == open) {
      const auto kind = what == "ok"         ? CheckResult::Kind::ok
                        : what == "skipped:" ? CheckResult::Kind::skipped
                                             : CheckResult::Kind::failed;
      results.push_back({kind, name, detail, kind == CheckResult::Kind::failed ? output : ""});
      open.clear();
      output.clear();
    }
  }
  close_open();
  return results;
}

std::string kernel_trouble(std::string_view console) {
  // Texts of lib/bug.c, kernel/panic.c, kernel/rcu, kernel/watchdog.c, arch/x86/kernel/dumpstack.c and
  // mm/oom_kill.c.
  constexpr std::array signs = {
      "Kernel panic",     "BUG:",           "kernel BUG at", "WARNING: CPU", "Oops",
      "rcu: INFO",        "Call Trace:",    "[ cut here ]",  "soft lockup",  "blocked for more than",
      "unable to handle", "Out of memory:", "double fault",  "unhandled NMI"};
  std::istringstream lines{std::string(console)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  | "))
      continue; // a program's own words, quoted by the driver
    for (const std::string_view sign : signs)
      if (line.find(sign) != std::string::npos)
        return line;
    // die() numbers its reports: "[#1]"
    for (auto at = line.find("[#"); at != std::string::npos; at = line.find("[#", at + 1)) {
      auto end = at + 2;
      while (end < line.size() && std::isdigit(static_cast<unsigned char>(line[end])))
        ++end;
      if (end > at + 2 && end < line.size() && line[end] == ']')
        return line;
    }
  }
  return "";
}

std::string emulator_failure(std::string_view console, bool several_cpus) {
  bool int3 = false; // a report of one has begun
  std::istringstream lines{std::string(console)};
  for (std::string line; std::getline(lines, line);) {
    if (line.find("QEMU ended") != std::string::npos && line.find("Assertion `") != std::string::npos)
      return line;
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT})
      if (line.find("QEMU ended by signal " + std::to_string(signal) + " ") != std::string::npos)
        return line;
    if (several_cpus && line.find("was reset without a word") != std::string::npos)
      return line;
    if (line.find("] int3: 0000 [#1]") != std::string::npos)
      int3 = true;
    // "Code: 1f 44 00 00 e9 <a0> 00": the byte before the mark is the one that trapped.
    const auto code = line.find("] Code: "), mark = line.find(" <");
    if (int3 && code != std::string::npos && mark != std::string::npos && mark >= 2)
      return line.compare(mark - 2, 2, "cc") == 0
                 ? ""
                 : "an int3 that is no longer there: " + line.substr(code + 2);
  }
  return "";
}

std::string tail(std::string_view text, std::size_t lines) {
  while (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  std::size_t start = text.size();
  for (std::size_t count = 0; start > 0; --start)
    if (text[start - 1] == '\n' && ++count == lines)
      break;
  std::istringstream stream{std::string(text.substr(start))};
  std::string result;
  for (std::string line; std::getline(stream, line);)
    result += "    | " + line + "\n";
  return result;
}

std::string plain_text(std::string_view raw) {
  std::string text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '\r')
      continue;
    if (raw[i] == '\033' && i + 1 < raw.size() && raw[i + 1] == '[') {
      i += 2;
      while (i < raw.size() && !std::isalpha(static_cast<unsigned char>(raw[i])))
        ++i;
      continue;
    }
    text += raw[i];
  }
  return text;
}

} // namespace boot
