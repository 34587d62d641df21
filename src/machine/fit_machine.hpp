// SPDX-License-Identifier: GPL-2.0-only
// What an image decides of its machine where the user does not.
#pragma once

#include "image/write.hpp"
#include "machine/hypervisor.hpp"

namespace ukl {

/// What the options leave open: without a `machine` the type that suits the kernel, with a `memory` of 0 as
/// much as the image is comfortable with; what it is unpacked into, and whether it takes a block of settings.
/// Errors: those of hypervisor.check, tree_size and check_memory.
Result<void> fit_machine(const Hypervisor& hypervisor, const ImageInfo& image, MachineOptions& options);

} // namespace ukl
