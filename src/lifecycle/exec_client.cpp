// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/exec_client.hpp"
#include "machine/exec_sessions.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fmt/format.h>
#include <sys/socket.h>
#include <thread>

namespace ukl {
namespace {

constexpr std::chrono::milliseconds kPatience{3000}, kAskAgain{20};

} // namespace

Result<ExecClient> ExecClient::start(const KnownMachine& machine, const Manifest& wanted) {
  const auto& name = machine.plan.name;
  if (!machine.alive || machine.state.phase != MachineState::Phase::running)
    return Error{Failure::no_such_machine, fmt::format("{} does not run", name),
                 "ukl ps lists those that do"};
  // The program runs a moment before init reads this port.
  const auto end = std::chrono::steady_clock::now() + kPatience;
  auto socket = connect_for_packets(machine.folder / ExecSessions::kSocket);
  while (!socket && is_alive(machine) && std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kAskAgain);
    socket = connect_for_packets(machine.folder / ExecSessions::kSocket);
  }
  if (!socket)
    return Error{Failure::no_such_machine, fmt::format("{} takes no other programs", name),
                 "its image was made by an older ukl: pack it again"};
  const auto text = encode_manifest(wanted);
  if (text.size() > exec::kMostBytes)
    return Error{
        Failure::usage,
        fmt::format("arguments and environment take {} bytes, of at most {}", text.size(), exec::kMostBytes),
        "put them into a file: ukl cp"};
  ExecClient client(name, std::move(*socket));
  client.send(exec::kStart, text);
  return client;
}

Result<ExecClient::Packet> ExecClient::receive() {
  while (true) {
    char packet[kLongestPacket];
    const ssize_t got = recv(socket_.get(), packet, sizeof packet, 0);
    if (got < 0 && errno == EINTR)
      return Packet{};
    if (got <= 0)
      return Error{Failure::machine, fmt::format("{} has ended", name_), "ukl ps -a tells how"};
    std::string bytes(packet + 1, static_cast<std::size_t>(got) - 1);
    if (packet[0] == exec::kTaken) {
      untaken_ -= std::min<std::size_t>(untaken_, std::strtoul(bytes.c_str(), nullptr, 10));
      return Packet{};
    }
    if (packet[0] != exec::kRefused)
      return Packet{packet[0], std::move(bytes)};
    refused_with_ = std::atoi(bytes.c_str());
    return Error{Failure::not_found, fmt::format("{}: {}", name_, bytes.substr(bytes.find(' ') + 1)),
                 refused_with_ == 127 ? "ukl inspect lists the files of an image" : ""};
  }
}

void ExecClient::taken(std::size_t bytes) {
  send(exec::kTaken, fmt::format("{}", bytes));
}

void ExecClient::send_input(std::string_view bytes) {
  untaken_ += bytes.size();
  send(exec::kInput, bytes);
}

void ExecClient::send(char kind, std::string_view bytes) {
  send_packet(socket_.get(), kind, bytes);
}

} // namespace ukl
