// SPDX-License-Identifier: GPL-2.0-only
// A virtiofsd of QEMU's (virtiofsd(1)) that shares one folder or one file with one machine. It keeps a
// descriptor of every file that the machine knows, so that a file is the same one after it was renamed or
// removed, and passes the machine's locks on to the host.
#pragma once

#include "machine/volumes.hpp"
#include "support/files.hpp"
#include "support/process.hpp"

namespace ukl {

/// The program, where Debian's qemu-system-common puts it.
inline constexpr const char* kVirtiofsd = "/usr/lib/qemu/virtiofsd";

/// One daemon. It sees nothing but what it shares: its own root, process and network namespaces if the kernel
/// lets it have them (without root: in a user namespace in which we are root), at the least a root of its
/// own; never without. It is under a FileGuard. It ends when its machine does, when the object goes, and when
/// we are killed.
class FolderDaemon {
public:
  /// Starts it and waits until it answers from inside its sandbox. Errors: missing_tool (there is no
  /// virtiofsd), machine (no sandbox can be made here; the message says what was refused), unwritable.
  static Result<FolderDaemon> start(const Volume& volume);

  /// The socket for QEMU's vhost-user-fs device; to be closed once QEMU has it.
  FileDescriptor socket;
  /// Becomes readable, and ends, when the daemon has ended.
  FileDescriptor errors;

private:
  FolderDaemon(Process process, FileDescriptor ours, FileDescriptor messages)
      : socket(std::move(ours)), errors(std::move(messages)), process_(std::move(process)) {}
  Process process_;
};

} // namespace ukl
