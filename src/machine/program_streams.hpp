// SPDX-License-Identifier: GPL-2.0-only
// The program's streams and the machine's console on their way between QEMU and our own standard streams.
#pragma once

#include "machine/channels.hpp"
#include "machine/line_watch.hpp"
#include "machine/stream_pumps.hpp"
#include "machine/supervisor.hpp"
#include "support/result.hpp"

#include <array>
#include <chrono>
#include <optional>

namespace ukl {

class ProgramStreams {
public:
  using Time = std::chrono::steady_clock::time_point;

  /// Takes the streams out of `channels`, which has to stay as long as this. `quiet`: nobody is to see the
  /// console. `watch`, if there is one, is shown the output. Error: unwritable (no descriptors or threads
  /// left).
  static Result<ProgramStreams> start(const HostStreams& streams, MachineChannels& channels, bool quiet,
                                      const std::shared_ptr<LineWatch>& watch);

  /// Readable when a stream has something new, until drain() is called.
  int wake() const { return wake_.get(); }
  void drain() const;

  /// A part of the console, and a line `ukl: TEXT`. Neither waits for whoever reads them.
  void show(std::string_view console);
  void note(const std::string& text);
  /// The terminal of our messages is raw, or no longer.
  void set_raw(bool raw);
  /// The key that interrupts on the terminal that the program reads; -1: none.
  void set_interrupt_key(int key) const;
  /// The program is there: from now on its keys are its own.
  void set_started() const;
  /// The user has typed that the machine is to stop (InputPump::stop_typed).
  bool stop_typed() const { return input_ && input_->stop_typed(); }
  bool input_ended() const { return input_ && input_->ended(); }

  /// Tells one side what ended on the other: init, by `supervisor`; and whoever is at the other end of our
  /// own standard streams, which are let go of.
  void pass_ends(MachineSupervisor& supervisor);
  /// QEMU has ended: what it has written is all.
  void source_ended();

  /// The line that is watched for came.
  bool line_seen() const { return watch_ && watch_->seen(); }
  /// A byte of the program's output came.
  bool any_output() const;
  /// All the output that the supervisor knows of came.
  bool all_came(const MachineSupervisor& supervisor) const;
  bool messages_written() const { return !messages_ || messages_->idle(); }
  /// Everything that came has been written, or nobody takes any more; QEMU has ended.
  bool all_written() const;
  /// Bytes of output that our descriptors have taken.
  std::uint64_t written() const;
  /// disk_full or unwritable, if some of the program's output could not be written; a reader that has gone is
  /// no failure.
  Result<void> written_whole() const;

private:
  FileDescriptor wake_;
  std::optional<MessagePump> messages_; // none: nobody is to see the console
  std::optional<InputPump> input_;
  std::array<std::optional<OutputPump>, 4> output_; // by the stream's number: 1, 2, and 3 for a terminal
  std::shared_ptr<LineWatch> watch_;
  bool has_keys_ = false; // the program reads from a terminal
  bool input_ended_ = false, input_let_go_ = false, output_let_go_ = false;
};

} // namespace ukl
