// SPDX-License-Identifier: GPL-2.0-only
// A machine between its hypervisor's start and its end: one loop that passes on what happens on either side.
#pragma once

#include "machine/channels.hpp"
#include "machine/clock_watch.hpp"
#include "machine/forwarded_ports.hpp"
#include "machine/host_cards.hpp"
#include "machine/host_streams.hpp"
#include "machine/program_streams.hpp"
#include "machine/run.hpp"
#include "machine/shared_folders.hpp"
#include "machine/signal_queue.hpp"
#include "machine/warm_keeping.hpp"
#include "support/process.hpp"

namespace ukl {

/// What a started machine consists of on this side.
struct RunningMachine {
  MachineChannels channels;
  ProgramStreams streams;
  Process process; ///< the hypervisor
  SignalQueue signals;
  ForwardedPorts ports;
  ClockWatch clock;
  SharedFolders& folders;
  HostCards& cards;
  WarmKeeping warm;
  std::string address; ///< of the guest, IPv4; empty: it has none
  std::chrono::steady_clock::time_point start;
};

/// Returns when the hypervisor has ended, or has been stopped. Errors: those of run_machine.
Result<MachineEnd> see_to_its_end(RunningMachine machine, const MachineOptions& options,
                                  const HostStreams& host, const MachineNews& news);

} // namespace ukl
