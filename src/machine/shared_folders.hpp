// SPDX-License-Identifier: GPL-2.0-only
// The folders and files that a machine shares with the host, while it runs.
#pragma once

#include "machine/folder_claims.hpp"
#include "machine/options.hpp"
#include "machine/virtiofs.hpp"
#include "support/files.hpp"

#include <filesystem>
#include <linux/filter.h>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

/// True if QEMU can attach virtiofs to this machine.
bool takes_virtiofs(const MachineOptions& options);

class SharedFolders {
public:
  /// Starts a virtiofsd for each volume that wants one and decides for those that leave it open; their
  /// `transport` in `options` is settled afterwards. A volume that can be changed is never put on 9p unless
  /// it asks for it. Errors: missing_tool, machine, volume_in_use, unreadable.
  static Result<SharedFolders> start(MachineOptions& options);

  /// For each volume, the descriptor of its virtiofsd's socket, or -1.
  std::vector<int> sockets() const;
  /// Every descriptor that QEMU has to inherit.
  std::vector<int> inherited() const;
  /// What QEMU itself may not do, since it serves folders over 9p; empty if it serves none.
  const std::vector<sock_filter>& guard() const { return guard_; }
  /// To be called once QEMU has them.
  void close_far_ends();
  /// Descriptors that become readable when a daemon says something or ends.
  std::vector<int> watched() const;
  /// Reads what the daemons said. An error if one of them has ended: a machine that still runs will wait for
  /// it for ever. It is told once.
  std::optional<Error> look();

private:
  struct Daemon {
    std::size_t volume;
    FolderDaemon daemon;
    std::filesystem::path folder;
    std::string said; // the last of it
  };
  std::size_t count_ = 0;
  std::vector<Daemon> daemons_;
  FolderClaims claims_;
  std::vector<sock_filter> guard_;
};

} // namespace ukl
