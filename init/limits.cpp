// SPDX-License-Identifier: GPL-2.0-only
#include "limits.hpp"

#include "ending.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <sys/resource.h>

namespace ukl::init {
namespace {

// Linux's INR_OPEN_CUR, an fd_set's FD_SETSIZE.
constexpr rlim_t kSoftFiles = 1024;

struct Name {
  std::string_view name;
  __rlimit_resource resource;
};

// The names of limits.conf(5), and those that it lacks.
constexpr Name kNames[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

// A number, or `unlimited`. False if it is neither.
bool parse_value(const std::string& text, rlim_t& value) {
  if (text == "unlimited") {
    value = RLIM_INFINITY;
    return true;
  }
  char* end = nullptr;
  value = strtoull(text.c_str(), &end, 10);
  return !text.empty() && *end == '\0';
}

void set_limit(const std::string& text) {
  const auto first = text.find(':');
  const auto second = first == std::string::npos ? first : text.find(':', first + 1);
  rlimit limit = {};
  if (second == std::string::npos ||
      !parse_value(text.substr(first + 1, second - first - 1), limit.rlim_cur) ||
      !parse_value(text.substr(second + 1), limit.rlim_max))
    fail("a limit is NAME:SOFT:HARD, not '" + text + "'");
  const std::string name = text.substr(0, first);
  for (const auto& known : kNames) {
    if (known.name != name)
      continue;
    if (setrlimit(known.resource, &limit) != 0)
      fail("cannot set the limit '" + text + "'" + reason());
    return;
  }
  fail("there is no limit called '" + name + "'");
}

} // namespace

void set_limits(const Manifest& settings) {
  // As on Debian: programs that close every descriptor that they might have, or put them into an fd_set, rely
  // on the soft limit; those that want more raise it themselves, up to the hard one.
  const rlim_t most_files = strtoull(read_whole("/proc/sys/fs/nr_open").c_str(), nullptr, 10);
  const rlimit files = {std::min<rlim_t>(kSoftFiles, most_files), most_files};
  if (most_files > 0)
    setrlimit(RLIMIT_NOFILE, &files);
  const rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);
  for (const auto& limit : values_of(settings, key::limit))
    set_limit(limit);
}

} // namespace ukl::init
