// SPDX-License-Identifier: GPL-2.0-only
#include "running_server.hpp"
#include "ipv4.hpp"
#include "machine/listening_sockets.hpp"
#include "support/interrupt.hpp"
#include "tap_network.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

namespace ukl::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kBootLimit = 120s;

} // namespace

bool answers(const Address& server, const std::string& question, int seconds) {
  const FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = ipv4_address(server.host, server.tcp);
  const timeval limit = {seconds, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit); // connecting as well: socket(7)
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return false;
  char byte;
  return send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) > 0 &&
         recv(fd.get(), &byte, 1, 0) == 1;
}

Result<RunningServer> RunningServer::start(Machine machine, const Server& wanted,
                                           const std::filesystem::path& console) {
  Address address{kGuestAddress, wanted.port, wanted.port};
  if (!machine.tap) {
    address = {"127.0.0.1", free_port(false), free_port(true)};
    const auto port = [](int number) { return static_cast<std::uint16_t>(number); };
    machine.options.forwards = {{"tcp", address.host, port(address.tcp), port(wanted.port)},
                                {"udp", address.host, port(address.udp), port(wanted.port)}};
  }
  const FileDescriptor output(open(console.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!output)
    return file_error(console, "create", errno);
  ProcessOptions options;
  options.standard_output = options.standard_error = output.get();
  TRY_LET(const auto command, boot_command(machine));
  auto process = Process::start(command, options);
  if (!process)
    return process.error();
  RunningServer server(std::move(*process), address, console);
  const auto give_up = std::chrono::steady_clock::now() + kBootLimit;
  while (std::chrono::steady_clock::now() < give_up) {
    if (interrupted())
      return Error{Failure::interrupted, "the benchmark was interrupted", ""};
    if (const auto status = server.process_.wait_for(200ms))
      return Error{Failure::machine,
                   fmt::format("QEMU ended with status {}: {}", *status, server.console_tail()), ""};
    if (answers(address, wanted.question)) {
      if (!machine.tap)
        widen_listen_backlogs(server.process_.pid());
      return server;
    }
  }
  return Error{Failure::machine, fmt::format("no answer from the server: {}", server.console_tail()), ""};
}

void RunningServer::stop() {
  process_.signal(SIGTERM);
  process_.wait_for(10s);
}

std::string RunningServer::console_tail() const {
  constexpr std::size_t kMost = 1500;
  auto text = read_text(console_);
  if (!text)
    return text.error().message;
  return text->size() > kMost ? text->substr(text->size() - kMost) : *text;
}

} // namespace ukl::bench
