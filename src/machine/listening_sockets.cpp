// SPDX-License-Identifier: GPL-2.0-only
#include "machine/listening_sockets.hpp"

#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ukl {

std::vector<FileDescriptor> listening_sockets(pid_t pid) {
  std::vector<FileDescriptor> sockets;
  const FileDescriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process)
    return sockets;
  std::error_code error;
  for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/fd", pid), error), end;
       !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    int number = -1;
    std::from_chars(name.data(), name.data() + name.size(), number);
    FileDescriptor theirs(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    int listens = 0;
    socklen_t size = sizeof listens;
    if (theirs && getsockopt(theirs.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0)
      sockets.push_back(std::move(theirs));
  }
  return sockets;
}

int widen_listen_backlogs(pid_t pid) {
  int widened = 0;
  for (const auto& theirs : listening_sockets(pid))
    if (listen(theirs.get(), SOMAXCONN) == 0)
      ++widened;
  return widened;
}

} // namespace ukl
