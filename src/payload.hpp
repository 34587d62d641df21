// SPDX-License-Identifier: GPL-2.0-only
// The payload of an image: its root tree as a cpio archive of the kind that Linux takes as initramfs ("newc";
// Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include "root_tree.hpp"

#include <functional>

namespace ukl {

/// Sees each ELF file on its way into the payload, and may change it. `guest_path` is where it will lie.
using ElfHook = std::function<Result<void>(const std::string& guest_path, Bytes& contents)>;

/// Adds what every image needs where the tree has nothing yet: the mount points, /dev/console (Linux opens it
/// for init), /tmp, and small defaults of passwd, group, hosts, hostname, nsswitch.conf and resolv.conf in
/// /etc. `dns` are name servers; `passwd_line` (may be empty) is a line to add to /etc/passwd.
Result<void> add_defaults(RootTree& tree, const std::string& hostname, const std::vector<std::string>& dns,
                          const std::string& passwd_line);

/// Packs the tree. The same tree gives the same bytes: sorted, owned by root, all times 0. `elf_hook` may be
/// empty. `compress`: with zstd, which Linux unpacks itself; smaller, but slower to make and to boot. Errors:
/// not_found, unreadable (a file of the host), usage (a file of 4 GiB or more), interrupted, those of the
/// hook.
Result<Bytes> make_payload(const RootTree& tree, const ElfHook& elf_hook, bool compress = false);

} // namespace ukl
