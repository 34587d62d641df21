// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/gdb_relay.hpp"
#include "lifecycle/gdb_stub.hpp"
#include "support/standard_streams.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <unistd.h>

namespace ukl {
namespace {

// False: there is no more.
bool carry(int from, int to) {
  char buffer[16384];
  const ssize_t got = read(from, buffer, sizeof buffer);
  if (got < 0 && errno == EINTR)
    return true;
  return got > 0 && write_all(to, {buffer, static_cast<std::size_t>(got)}) == 0;
}

void carry_all(int socket) {
  while (true) {
    pollfd events[] = {{STDIN_FILENO, POLLIN, 0}, {socket, POLLIN, 0}};
    if (poll(events, 2, -1) < 0 && errno != EINTR)
      return;
    if (events[1].revents && !carry(socket, STDOUT_FILENO))
      return;
    if (events[0].revents && !carry(STDIN_FILENO, socket))
      return;
  }
}

} // namespace

Result<void> relay_gdb(const KnownMachine& machine) {
  // Ctrl-C is gdb's, which sends it as a byte.
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  TRY_LET(const auto guard, close_gdb_stub_if_killed(machine));
  TRY_LET(auto qemu, QemuClient::connect(machine));
  TRY_LET(const auto ours, open_gdb_stub(qemu));
  carry_all(ours.get());
  return close_gdb_stub(qemu);
}

} // namespace ukl
