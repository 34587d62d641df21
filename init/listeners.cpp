// SPDX-License-Identifier: GPL-2.0-only
#include "listeners.hpp"

#include "deadline.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr long kShortest = 1, kLongest = 200; // milliseconds

std::vector<int> awaited;
long awaited_since = 0, looked_at = 0;

// Listeners fit into this unless there are more than a hundred.
std::string beginning_of(const char* path) {
  std::string text(16384, '\0');
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return {};
  std::size_t filled = 0;
  for (ssize_t got; filled < text.size() && (got = read(fd, &text[filled], text.size() - filled)) > 0;)
    filled += static_cast<std::size_t>(got);
  close(fd);
  text.resize(filled);
  return text;
}

} // namespace

bool listens(std::string_view table, int port) {
  //   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 …
  constexpr std::string_view listening = " 0A ";
  while (!table.empty()) {
    const auto line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(table.size(), line.size() + 1));
    const auto number = line.find(": ");
    const auto colon = number == std::string_view::npos ? number : line.find(':', number + 1);
    const auto remote = colon == std::string_view::npos ? colon : line.find(':', colon + 1);
    if (remote == std::string_view::npos || line.substr(remote + 5, listening.size()) != listening)
      continue;
    if (strtol(std::string(line.substr(colon + 1, 4)).c_str(), nullptr, 16) == port)
      return true;
  }
  return false;
}

void await_listener(int port) {
  if (awaited.empty())
    awaited_since = monotonic_milliseconds();
  awaited.push_back(port);
}

std::vector<int> take_listeners() {
  std::vector<int> found;
  if (awaited.empty() || monotonic_milliseconds() - looked_at < until_next_look())
    return found;
  looked_at = monotonic_milliseconds();
  const std::string tables[] = {beginning_of("/proc/net/tcp"), beginning_of("/proc/net/tcp6")};
  const auto is_there = [&](int port) { return listens(tables[0], port) || listens(tables[1], port); };
  std::copy_if(awaited.begin(), awaited.end(), std::back_inserter(found), is_there);
  awaited.erase(std::remove_if(awaited.begin(), awaited.end(), is_there), awaited.end());
  return found;
}

int until_next_look() {
  if (awaited.empty())
    return -1;
  return static_cast<int>(std::clamp((monotonic_milliseconds() - awaited_since) / 16, kShortest, kLongest));
}

} // namespace ukl::init
