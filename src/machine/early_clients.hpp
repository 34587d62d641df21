// SPDX-License-Identifier: GPL-2.0-only
// Clients of a forwarded port whose bytes go through us: those that came before the program listened, and
// those of IPv6.
#pragma once

#include "support/files.hpp"

#include <netinet/in.h>
#include <thread>
#include <vector>

namespace ukl {

/// A thread that accepts the clients that wait at a socket, connects each with a server and carries what both
/// say, until both have ended. When it goes, what the server's side had sent is still delivered, unless a
/// client takes nothing for ten seconds.
class EarlyClients {
public:
  /// How long new clients may come.
  enum class Listening {
    second, ///< none does any more, but the handshake of one may have begun before
    always,
  };
  /// `clients` were accepted already. `listener` is not blocking and listens. Error: what the system says of
  /// threads or descriptors.
  static Result<EarlyClients> serve(std::vector<FileDescriptor> clients, FileDescriptor listener,
                                    const sockaddr_in& server, Listening listening = Listening::second);
  EarlyClients(EarlyClients&&) noexcept = default;
  EarlyClients& operator=(EarlyClients&&) = delete;
  ~EarlyClients();

private:
  EarlyClients() = default;
  FileDescriptor stop_; // an event: no further client
  std::thread thread_;
};

} // namespace ukl
