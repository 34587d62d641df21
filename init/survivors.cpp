// SPDX-License-Identifier: GPL-2.0-only
#include "survivors.hpp"

#include "fields.hpp"
#include "settings.hpp"

#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <sys/types.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr int kLongestLook = 128; // milliseconds
constexpr int kMostNames = 8;

// What /proc/PID/stat says (proc(5)): `PID (NAME) STATE PARENT GROUP SESSION …`.
struct Process {
  std::string name;
  char state = 0;
  int parent = 0, session = 0;
};

bool read_process(const char* number, Process& process) {
  const std::string text = read_whole((std::string("/proc/") + number + "/stat").c_str());
  const auto open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos)
    return false;
  process.name = text.substr(open + 1, close - open - 1);
  int group = 0;
  return Fields(text.c_str() + close + 1)
      .character(process.state)
      .number(process.parent)
      .number(group)
      .number(process.session)
      .ok();
}

bool counts(int number, const Process& process) {
  constexpr int kernel = 2; // kthreadd, the parent of Linux's own processes
  return number > kernel && process.parent != kernel && process.state != 'Z' && process.name != kParentName;
}

} // namespace

Survivors find_survivors() {
  Survivors survivors;
  DIR* folder = opendir("/proc");
  if (!folder)
    return survivors;
  const int our_session = getsid(0);
  int count = 0;
  while (const dirent* entry = readdir(folder)) {
    Process process;
    const int number = atoi(entry->d_name);
    if (number <= 0 || !read_process(entry->d_name, process) || !counts(number, process))
      continue;
    survivors.in_session = survivors.in_session || process.session != our_session;
    if (count++ < kMostNames)
      survivors.names += (count > 1 ? ", " : "") + process.name + " " + entry->d_name;
  }
  closedir(folder);
  if (count > kMostNames)
    survivors.names += " and " + std::to_string(count - kMostNames) + " more";
  for (auto& character : survivors.names)
    if (static_cast<unsigned char>(character) < ' ')
      character = '?';
  return survivors;
}

Survivors find_daemons() {
  Survivors survivors = find_survivors();
  for (int pause = 1; pause < kLongestLook && !survivors.names.empty() && !survivors.in_session; pause *= 2) {
    usleep(static_cast<useconds_t>(pause) * 1000);
    survivors = find_survivors();
  }
  return survivors;
}

} // namespace ukl::init
