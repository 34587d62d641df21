// SPDX-License-Identifier: GPL-2.0-only
// What `ukl exec` and `ukl cp` ask of a machine (ukl/exec.hpp), on its way to init: each is a client of the
// socket kSocket in the machine's folder, in whose packets the frames' numbers are left out.
#pragma once

#include "support/packet_server.hpp"

namespace ukl {

class ExecSessions {
public:
  static constexpr const char* kSocket = "exec";

  /// Listens in `folder`, once init says that it reads. `port`: our end of the machine's port, not blocking.
  ExecSessions(std::filesystem::path folder, FileDescriptor port)
      : folder_(std::move(folder)), port_(std::move(port)) {}

  /// Adds what to poll(2) for.
  void watch(std::vector<pollfd>& events) const;
  /// Looks at those events, which begin at `first`, and does what can be done without waiting.
  void look(std::vector<pollfd>::const_iterator first);

private:
  bool has_room() const;
  void read_port();
  void write_port();

  void take(char kind, std::uint16_t client, std::string_view bytes);

  std::filesystem::path folder_;
  std::optional<PacketServer> clients_;
  FileDescriptor port_;
  std::string unread_, unsent_;
};

} // namespace ukl
