// SPDX-License-Identifier: GPL-2.0-only
// The lines between `ukl run` and QEMU: console, errors, control port, monitor and the program's streams.
#pragma once

#include "machine/host_streams.hpp"
#include "machine/plan.hpp"
#include "support/files.hpp"
#include "support/process.hpp"

namespace ukl {

class MachineChannels {
public:
  /// Makes a port for each of our streams that is a terminal or a pipe; all terminals share one. `monitor`:
  /// a line to QEMU itself as well. `exec`: one for other programs (ukl/exec.hpp). `ignored`: signals that
  /// were ignored when we were started. Error: unwritable (no descriptors left).
  static Result<MachineChannels> open(const HostStreams& streams, bool monitor, bool exec,
                                      const std::vector<int>& ignored);

  /// The descriptors for QEMU's command line, and how to start it with them.
  Channels for_qemu() const;
  ProcessOptions process_options() const;
  /// To be called once QEMU has them.
  void close_far_ends();

  /// Writes to the control port. What the guest does not take is dropped once a mebibyte waits for it.
  void send_control(std::string_view text);
  /// True if send_control() has to go on once the port is writable.
  bool control_waits() const { return !unsent_.empty(); }

  FileDescriptor console;                        ///< read end
  FileDescriptor errors;                         ///< read end: QEMU's standard error
  FileDescriptor control;                        ///< both ways
  FileDescriptor monitor;                        ///< both ways
  FileDescriptor exec;                           ///< both ways
  FileDescriptor input, output, error, terminal; ///< blocking

private:
  FileDescriptor far_console_, far_errors_, far_control_, far_monitor_, far_input_, far_output_, far_error_,
      far_terminal_, far_exec_;
  Manifest words_;
  std::string unsent_;
};

} // namespace ukl
