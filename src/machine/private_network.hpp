// SPDX-License-Identifier: GPL-2.0-only
// A network among machines of one user on this machine (--network private:NAME), which needs no rights: it
// leads nowhere else. Each machine has a socket in the network's folder, named after its card's address; what
// its card sends goes to the socket that has the frame's destination as its name, or to all. So there is no
// process in the middle, and nothing to remember.
#pragma once

#include "support/files.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace ukl {

/// A machine's place on such a network, for as long as it lives. Frames that a stopped machine does not take
/// are dropped, as on a wire: nobody waits for it for longer than some milliseconds, and what is kept has a
/// bound.
class PrivatePort {
public:
  /// `folder`: the network's, which is made if it is not there and removed by the last one that leaves.
  /// `mac`: six bytes in hexadecimal with colons. Errors: unwritable, port_in_use (a machine with that
  /// address is there).
  static Result<PrivatePort> join(const std::filesystem::path& folder, const std::string& mac);
  PrivatePort(PrivatePort&& other) noexcept;
  PrivatePort& operator=(PrivatePort&&) = delete;
  ~PrivatePort();

  /// What QEMU inherits for a -netdev dgram: a socket that keeps the borders of frames.
  int qemus_end() const;
  /// To be called once QEMU has it.
  void close_far_end();

private:
  class Traffic;
  explicit PrivatePort(std::unique_ptr<Traffic> traffic);
  std::unique_ptr<Traffic> traffic_;
};

} // namespace ukl
