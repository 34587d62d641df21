// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/gdb_relay.hpp"
#include "lifecycle/qemu_client.hpp"
#include "support/standard_streams.hpp"

#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/socket.h>
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
  TRY_LET(auto qemu, QemuClient::connect(machine));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return file_error("socket", "create", errno);
  const FileDescriptor ours(ends[0]);
  {
    const FileDescriptor theirs(ends[1]);
    TRY(qemu.give("ukl-gdb", theirs.get()));
  }
  const auto id = fmt::format("ukl-gdb-{}", getpid());
  const nlohmann::json device = {
      {"id", id},
      {"backend",
       {{"type", "socket"},
        {"data", {{"addr", {{"type", "fd"}, {"data", {{"str", "ukl-gdb"}}}}}, {"server", false}}}}}};
  TRY(qemu.execute("chardev-add", device.dump()));
  TRY_LET(const auto said, qemu.human("gdbserver chardev:" + id));
  if (said.find("Waiting for gdb") == std::string::npos)
    return Error{Failure::machine, fmt::format("QEMU starts no gdbstub: {}", said), ""};
  carry_all(ours.get());
  TRY(qemu.human("gdbserver none"));
  TRY(qemu.execute("cont"));
  return {};
}

} // namespace ukl
