// SPDX-License-Identifier: GPL-2.0-only
// Everything that goes into a kernel, and the hash that names the result.
#pragma once

#include "kernel/profile.hpp"
#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

/// The inputs of one kernel. Two machines with the same inputs build the same kernel, byte for byte.
struct KernelInputs {
  std::string profile;                        ///< with its release, unless that is the default one
  std::filesystem::path source;               ///< Debian's source archive; empty if it is not installed
  std::string source_hash;                    ///< its SHA-256; empty likewise
  std::vector<std::filesystem::path> patches; ///< in the order in which they are applied
  std::filesystem::path files;                ///< the folder that is copied over the source; empty: none
  std::string configuration;                  ///< the wanted settings of base and profile, merged, one a line
  std::string description;                    ///< one line `name value` for each input that is known here
  std::string hash;                           ///< 16 hexadecimal digits; empty if an input is not known here
};

/// What Linux's make is told for a kernel with these settings. The compiler's flags, after Linux's own: GCC's
/// -O3 takes about 5 % of the instructions out of a system call (bench/run operations) and adds 0.2 % to the
/// kernel's size. In a small kernel (CONFIG_CC_OPTIMIZE_FOR_SIZE) memory is not copied and filled byte by
/// byte, as GCC's -Os does it, with which a translator takes a tenth of a second longer until the program
/// starts. Relocations stay in vmlinux, from where newer releases take them once their own decompressor has
/// them: an image's start code needs them. A kernel of ours also has the sizes of virtio queues of
/// asm/ukl_virtio_mmio.h and, with CONFIG_UKL_DENSE, the linker script of arch/x86/ukl/vmlinux.lds.S: neither
/// changes a file of Linux's.
std::vector<std::string> make_settings(const std::string& configuration);

/// Debian's archive of a release of Linux: $UKL_LINUX_SOURCE (a path or a pattern), else
/// /usr/src/linux-source-<release>.tar.xz. Error: missing_tool with the command that installs it.
Result<std::filesystem::path> find_linux_source(const std::string& release = kDefaultRelease);

/// The merged settings of kernel/profiles/base.config and <profile>.config: the profile's win, comments go.
/// Where kernel/patches/<release>/settings says that the release has another line for one, or none, it is
/// that line. Errors: usage (no such profile or release), unreadable.
Result<std::string> merged_configuration(const std::string& profile);

/// Collects and hashes the inputs. `unpatched` leaves our patches and files out. The archive's hash is
/// remembered in the cache (by size and time), because it takes half a second. What is missing here (the
/// archive, a compiler) is left out of the description, and then there is no hash. Errors: as
/// merged_configuration.
Result<KernelInputs> kernel_inputs(const std::string& profile, bool unpatched = false);

} // namespace ukl
