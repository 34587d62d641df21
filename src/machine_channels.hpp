// SPDX-License-Identifier: GPL-2.0-only
// The lines between `ukl run` and QEMU: console, errors, control port and input.
#pragma once

#include "machine_command.hpp"
#include "support/files.hpp"
#include "support/process.hpp"

#include <poll.h>

namespace ukl {

class MachineChannels {
public:
  /// Makes them. Our standard input goes to the console if it is a terminal, else to the input port; nowhere
  /// if `quiet`. Error: unwritable (no descriptors left).
  static Result<MachineChannels> open(bool quiet);

  /// The descriptors for QEMU's command line, and how to start it with them.
  Channels for_qemu() const { return {far_control_.get(), far_input_.get()}; }
  ProcessOptions process_options() const;
  /// To be called once QEMU has them.
  void close_far_ends();

  /// What to wait for before pass_input_on().
  pollfd input_event() const;
  /// Reads our standard input once, or goes on writing what it has read.
  void pass_input_on();
  /// Writes to the control port. QEMU holds what the guest has not read yet, so this does not block.
  void send_control(std::string_view text);

  FileDescriptor console; ///< read end
  FileDescriptor errors;  ///< read end: QEMU's standard error
  FileDescriptor control; ///< both ways

private:
  FileDescriptor far_console_, far_errors_, far_control_, far_input_, far_keys_;
  FileDescriptor input_; // write end: to the port, or to the console
  bool terminal_ = false;
  bool reading_ = false;
  std::string unsent_;
};

} // namespace ukl
