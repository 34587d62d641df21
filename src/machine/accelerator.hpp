// SPDX-License-Identifier: GPL-2.0-only
// KVM where it really works, QEMU's own translator (TCG) elsewhere.
#pragma once

#include "machine/options.hpp"

#include <functional>

namespace ukl {

/// Whether a small machine under KVM got as far as a program; why not, otherwise.
using KvmProbe = std::function<Result<void>()>;

/// What `automatic` means on this host. A /dev/kvm that opens is not enough: under some hypervisors firmware
/// comes up and a kernel does not. So the probe boots one, and its answer is kept in the cache folder until
/// this host boots again. The first time that KVM turns out not to work, a note says why.
Accelerator choose_accelerator(const KvmProbe& probe);

/// A probe that boots this machine's image under KVM up to where its program would start, within three
/// seconds.
KvmProbe probe_with(const MachineOptions& options);

} // namespace ukl
