// SPDX-License-Identifier: GPL-2.0-only
// Our terminal while its keys belong to the program's.
#pragma once

#include <optional>
#include <termios.h>

namespace ukl {

/// Every key passes as it is; what keys mean is decided by the terminal that the program has. The destructor
/// gives the terminal back as it was.
class RawTerminal {
public:
  /// Does nothing yet. `descriptor`: a terminal, or -1 for none.
  explicit RawTerminal(int descriptor) : descriptor_(descriptor) {}
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() { leave(); }

  /// Unless we are in the background, where the terminal is not ours to change.
  void enter();
  void leave();
  bool active() const { return before_.has_value(); }
  /// The key that interrupts (Ctrl-C), as the user had set it; -1: none.
  int interrupt_key() const;

private:
  int descriptor_;
  std::optional<termios> before_;
};

/// Whether the terminal belongs to our process group, or to no session of ours.
bool in_foreground(int terminal);

} // namespace ukl
