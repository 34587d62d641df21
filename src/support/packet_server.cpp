// SPDX-License-Identifier: GPL-2.0-only
#include "support/packet_server.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <sys/socket.h>

namespace ukl {
namespace {

constexpr std::size_t kMostWaiting = 1 << 20;
constexpr std::size_t kMostClients = 64;
constexpr std::chrono::milliseconds kLastBytes{1000};

} // namespace

Result<PacketServer> PacketServer::listen(const std::filesystem::path& path) {
  PacketServer server;
  TRY_LET(server.listener_, listen_for_packets(path));
  return server;
}

void PacketServer::watch(std::vector<pollfd>& events, bool wants_packets) const {
  events.push_back({listener_.get(), POLLIN, 0});
  for (const auto& client : clients_)
    events.push_back(
        {client.socket.get(),
         static_cast<short>((wants_packets ? POLLIN : 0) | (client.waiting.empty() ? 0 : POLLOUT)), 0});
}

bool PacketServer::write_waiting(Client& client) {
  while (!client.waiting.empty()) {
    const auto& packet = client.waiting.front();
    if (::send(client.socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
      return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
    client.bytes -= packet.size();
    client.waiting.pop_front();
  }
  return true;
}

void PacketServer::add(Client& client, char kind, std::string_view bytes) {
  client.waiting.emplace_back(std::string(1, kind) += bytes);
  client.bytes += bytes.size() + 1;
  client.gone = client.gone || !write_waiting(client) || client.bytes > kMostWaiting;
}

void PacketServer::take_packet(Client& client, const Request& request) {
  char packet[kLongestPacket];
  const ssize_t got = recv(client.socket.get(), packet, sizeof packet, MSG_DONTWAIT);
  if (got > 0)
    request(client.number, packet[0], std::string_view(packet + 1, static_cast<std::size_t>(got) - 1));
  else
    client.gone = got == 0 || (errno != EAGAIN && errno != EINTR);
}

void PacketServer::accept_one() {
  FileDescriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket || clients_.size() >= kMostClients)
    return;
  while (std::ranges::find(clients_, next_, &Client::number) != clients_.end())
    ++next_;
  clients_.push_back({next_++, std::move(socket), {}, 0, false});
}

void PacketServer::look(std::vector<pollfd>::const_iterator first, const Request& request) {
  const short arrived = first->revents;
  for (auto& client : clients_) {
    const short happened = (++first)->revents;
    if (happened & POLLIN)
      take_packet(client, request);
    else if (happened & (POLLHUP | POLLERR))
      client.gone = true;
    client.gone = client.gone || !write_waiting(client);
  }
  if (arrived & POLLIN)
    accept_one();
  for (const auto& client : clients_)
    if (client.gone)
      request(client.number, 0, {});
  std::erase_if(clients_, [](const Client& client) { return client.gone; });
}

void PacketServer::send(std::uint16_t client, char kind, std::string_view bytes) {
  if (const auto found = std::ranges::find(clients_, client, &Client::number); found != clients_.end())
    add(*found, kind, bytes);
}

void PacketServer::send_all(char kind, std::string_view bytes) {
  for (auto& client : clients_)
    add(client, kind, bytes);
}

void PacketServer::finish() {
  const auto end = std::chrono::steady_clock::now() + kLastBytes;
  listener_ = FileDescriptor();
  for (auto& client : clients_)
    while (!client.gone && write_waiting(client) && !client.waiting.empty()) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      pollfd wait = {client.socket.get(), POLLOUT, 0};
      if (left.count() <= 0 || poll(&wait, 1, static_cast<int>(left.count())) <= 0)
        break;
    }
  clients_.clear();
}

} // namespace ukl
