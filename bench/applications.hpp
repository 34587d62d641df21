// SPDX-License-Identifier: GPL-2.0-only
// The benchmark of whole servers: the same program on each system, driven from the host over virtio-net.
#pragma once

#include "results.hpp"
#include "systems.hpp"

namespace ukl::bench {

struct ApplicationsPlan {
  std::vector<System> systems;
  std::vector<std::string> only; ///< servers, or words that a workload's name begins with; none: all
  unsigned rounds = 3;           ///< of boots
  double seconds = 3;            ///< of each load on each system and round, in all turns together
  std::filesystem::path start;   ///< the guest's first program
  std::filesystem::path plugin;  ///< that counts instructions; empty: they are not counted
  bool tap = false;              ///< over a tap interface (tap_network.hpp), else over QEMU's user network
};

/// Per server and round, all systems boot and stay up, and each load is put on them in short turns, so that
/// the values of a cell belong to those of the same place in another; at last one more boot per system counts
/// instructions. Fills in the systems, programs and rows of `part`. A load that fails gets the reason into
/// its cell. Errors: those of make_server and make_machine, missing_tool, interrupted.
Result<void> measure_applications(const ApplicationsPlan& plan, Part& part);

} // namespace ukl::bench
