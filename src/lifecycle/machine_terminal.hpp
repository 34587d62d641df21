// SPDX-License-Identifier: GPL-2.0-only
// The terminal of a machine that runs by itself: a pseudo-terminal in place of pipes, whose other side is
// shown to whoever is attached.
#pragma once

#include "support/files.hpp"

#include <string>
#include <string_view>

namespace ukl {

struct MachineTerminal {
  FileDescriptor master; ///< ours, not blocking
  FileDescriptor slave;  ///< the machine's standard streams; nobody's controlling terminal

  /// `size` as for set_window_size(). Error: unwritable (no terminals left).
  static Result<MachineTerminal> create(std::string_view size);
};

/// `ROWS COLUMNS [WIDTH HEIGHT]`, as window_size() gives it; what is no size changes nothing.
void set_window_size(int terminal, std::string_view size);

/// What a terminal's cursor stands behind: the line that has not ended, of all that was written so far. Who
/// joins late sees a shell's prompt with it.
class UnfinishedLine {
public:
  void add(std::string_view bytes);
  const std::string& text() const { return text_; }

private:
  std::string text_; // of a longer one, the last 4096 bytes
};

} // namespace ukl
