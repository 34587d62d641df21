// SPDX-License-Identifier: GPL-2.0-only
// The side of such sockets (packets.hpp) that has many clients. One that does not read is let go of once a
// mebibyte waits for it: it never stalls whoever serves it.
#pragma once

#include "support/packets.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <poll.h>

namespace ukl {

class PacketServer {
public:
  /// Error: unwritable.
  static Result<PacketServer> listen(const std::filesystem::path& path);

  /// A packet of a client, which has a number of its own. Kind 0: it has gone.
  using Request = std::function<void(std::uint16_t client, char kind, std::string_view bytes)>;

  /// Adds what to poll(2) for; `wants_packets`: theirs can be taken now.
  void watch(std::vector<pollfd>& events, bool wants_packets) const;
  /// Looks at those events, which begin at `first`.
  void look(std::vector<pollfd>::const_iterator first, const Request& request);
  void send(std::uint16_t client, char kind, std::string_view bytes);
  void send_all(char kind, std::string_view bytes);
  /// Waits up to a second for those who read, and lets go of all.
  void finish();

private:
  struct Client {
    std::uint16_t number = 0;
    FileDescriptor socket;
    std::deque<std::string> waiting; // packets
    std::size_t bytes = 0;           // in them
    bool gone = false;
  };
  static void add(Client& client, char kind, std::string_view bytes);
  static bool write_waiting(Client& client);
  void take_packet(Client& client, const Request& request);
  void accept_one();

  FileDescriptor listener_;
  std::vector<Client> clients_;
  std::uint16_t next_ = 1;
};

} // namespace ukl
