// SPDX-License-Identifier: GPL-2.0-only
// The bytes between our standard streams and QEMU, each stream in a thread of its own: a reader that does not
// read, or a file that takes long, blocks its own stream and nothing else. Our streams are never made
// non-blocking, since others share them. What waits in a thread is bounded by its buffer; behind it QEMU
// stops reading, and so does the guest.
#pragma once

#include "support/files.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

namespace ukl {

/// A stream of the program, on its way to one of our descriptors. Abandoned when its owner goes.
class OutputPump {
public:
  /// Takes over `source`, the end of a socket pair that QEMU writes to; writes to a copy of `target`. The
  /// event descriptor `wake` is written to when something happened. `seen`, if there is one, is called in the
  /// pump's thread with what comes; if it returns true, something has happened. Error: unwritable (no
  /// descriptors or threads left).
  using Seen = std::function<bool(std::string_view bytes)>;
  static Result<OutputPump> start(FileDescriptor source, int target, int wake, Seen seen = {});

  /// Tells that the stream has this many bytes, so that it ends before QEMU does.
  void end_at(std::uint64_t bytes);
  /// QEMU has ended: what it has written is all.
  void source_ended();
  /// True once that many bytes came, or nobody takes any more.
  bool has(std::uint64_t bytes) const;
  /// True once everything has been written, or nobody takes any more.
  bool ended() const;
  /// Why writing failed, as errno; 0: it did not, or the reader has gone, which is no failure.
  int error() const;
  /// True once a byte came.
  bool any() const;
  /// How many bytes our descriptor has taken.
  std::uint64_t written() const;

  struct State;

private:
  explicit OutputPump(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Our standard input, on its way to the program. Abandoned when its owner goes.
class InputPump {
public:
  /// Reads a copy of `source`, writes to `target`, an end of a socket pair that QEMU reads. The descriptor
  /// `target` stays the caller's. Error: as for OutputPump.
  static Result<InputPump> start(int source, int target, bool terminal, int wake);
  InputPump(InputPump&& other) noexcept = default;
  ~InputPump();

  /// The program is there: keys before that which interrupt stop the machine. `interrupt_key`: -1 for none.
  void set_started() const;
  void set_interrupt_key(int key) const;
  /// Reads no more, and lets go of the input.
  void stop();
  /// True once the input has ended; then all of it was `bytes()` long and is on its way to the guest.
  bool ended() const;
  std::uint64_t bytes() const;
  /// True once Ctrl-] was typed three times within a second, or Ctrl-C before the program was there.
  bool stop_typed() const;

  struct State;

private:
  explicit InputPump(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

/// Messages for our standard error: the machine's console and what we say ourselves. Never blocks the caller.
/// Where more than a mebibyte waits, the rest is dropped, and a line says so.
class MessagePump {
public:
  /// Error: as for OutputPump.
  static Result<MessagePump> start(int target, int wake);
  MessagePump(MessagePump&& other) noexcept = default;
  ~MessagePump();
  void add(std::string_view text);
  /// A line of ours, beginning on a line of its own.
  void add_line(std::string_view text);
  /// On a raw terminal, lines end with CR LF; elsewhere with LF alone.
  void set_raw(bool raw);
  /// True if nothing waits, or nobody takes any more.
  bool idle() const;

  struct State;

private:
  explicit MessagePump(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

} // namespace ukl
