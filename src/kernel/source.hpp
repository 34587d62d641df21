// SPDX-License-Identifier: GPL-2.0-only
// Linux's source tree: as Debian ships it, and with our changes.
#pragma once

#include "kernel/inputs.hpp"
#include "support/reporter.hpp"

namespace ukl {

/// Unpacks Debian's source once and returns its folder in the cache, for reading only: build trees share its
/// files through hard links. Waits if another process is unpacking it. Errors: missing_tool (not installed),
/// unreadable, unwritable, disk_full, interrupted.
Result<std::filesystem::path> unpacked_source(const KernelInputs& inputs,
                                              Reporter& reporter = silent_reporter());

/// Makes the tree of one build at `tree`: the source, our patches applied, our files copied over it. It
/// appears under its name only when it is whole. Patching is logged to `log`. Errors: as unpacked_source, and
/// kernel_build when a patch does not apply.
Result<void> make_source_tree(const KernelInputs& inputs, const std::filesystem::path& tree,
                              const std::filesystem::path& log, Reporter& reporter);

} // namespace ukl
