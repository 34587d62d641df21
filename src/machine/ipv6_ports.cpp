// SPDX-License-Identifier: GPL-2.0-only
#include "machine/ipv6_ports.hpp"

#include "machine/checks.hpp"
#include "machine/socket_address.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace ukl {

Result<Ipv6Ports> Ipv6Ports::serve(std::vector<Forward>& forwards) {
  Ipv6Ports ports;
  std::vector<FileDescriptor> held; // all are bound before one is let go: they differ
  for (auto& forward : forwards) {
    if (!forward.ipv6())
      continue;
    TRY_LET(auto listener, take_port(forward));
    if (listen(listener.get(), SOMAXCONN) != 0)
      return file_error("port " + forward.host(), "listen on", errno);
    forward.host_address = "127.0.0.1";
    forward.host_port = 0;
    TRY_LET(auto inner, take_port(forward));
    sockaddr_in server = {};
    socklen_t size = sizeof server;
    getsockname(inner.get(), reinterpret_cast<sockaddr*>(&server), &size);
    forward.host_port = ntohs(server.sin_port);
    held.push_back(std::move(inner));
    TRY_LET(auto port, EarlyClients::serve({}, std::move(listener), server, EarlyClients::Listening::always));
    ports.ports_.push_back(std::move(port));
  }
  return ports;
}

} // namespace ukl
