// SPDX-License-Identifier: GPL-2.0-only
// Clients that came to a forwarded port before the program listened: their bytes go through us.
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
  /// `clients` were accepted already. `listener` is not blocking and listens. It is closed after a second: no
  /// new client comes to it any more, but the handshake of one may have begun before. Error: what the system
  /// says of threads or descriptors.
  static Result<EarlyClients> serve(std::vector<FileDescriptor> clients, FileDescriptor listener,
                                    const sockaddr_in& server);
  EarlyClients(EarlyClients&&) noexcept = default;
  EarlyClients& operator=(EarlyClients&&) = delete;
  ~EarlyClients();

private:
  EarlyClients() = default;
  FileDescriptor stop_; // an event: no further client
  std::thread thread_;
};

} // namespace ukl
