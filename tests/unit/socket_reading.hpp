// SPDX-License-Identifier: GPL-2.0-only
// What comes over a socket, for tests.
#pragma once

#include "support/files.hpp"

#include <poll.h>
#include <string>
#include <unistd.h>

namespace ukl {

/// The next bytes, at most 64; a word that says why, where none come.
inline std::string read_some(const FileDescriptor& fd) {
  char buffer[64];
  pollfd event = {fd.get(), POLLIN, 0};
  if (poll(&event, 1, 5000) != 1)
    return "nothing in 5 s";
  const ssize_t got = read(fd.get(), buffer, sizeof buffer);
  return got < 0 ? "an error" : std::string(buffer, static_cast<std::size_t>(got));
}

} // namespace ukl
