// SPDX-License-Identifier: GPL-2.0-only
// Building a kernel with Linux's own make, and storing the result in the cache.
#pragma once

#include "kernel/inputs.hpp"
#include "kernel/profile.hpp"
#include "support/reporter.hpp"

namespace ukl {

struct KernelBuildOptions {
  unsigned jobs = 0; ///< make's -j; 0: one for each CPU
  bool keep = false; ///< leave the build tree (about 0.2 GB) in the cache for debugging
};

/// The kernel of these inputs, built unless it is in the cache. The recipe: source tree, configuration, make,
/// store. A build that was stopped or failed goes on where it was. Waits while another process builds the
/// same kernel. Errors: missing_tool (the source or a program that the build needs, with the command that
/// installs it), kernel_build with the end of the log, disk_full, unwritable, interrupted.
Result<Kernel> build_kernel(const KernelInputs& inputs, const KernelBuildOptions& options,
                            Reporter& reporter = silent_reporter());

/// Settings of `wanted` that `result` (a .config) does not have, one a line. A setting that is not in
/// `result` at all is the same as one that is not set.
std::vector<std::string> lost_settings(const std::string& wanted, const std::string& result);

} // namespace ukl
