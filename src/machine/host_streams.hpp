// SPDX-License-Identifier: GPL-2.0-only
// What our own standard streams are, which is what the program finds for its own.
#pragma once

#include <string>

namespace ukl {

/// `output`: standard error is the same open file as standard output.
enum class StreamKind { terminal, pipe, null, closed, output };

struct HostStreams {
  StreamKind input = StreamKind::null, output = StreamKind::null, error = StreamKind::null;

  bool has_terminal() const;
  /// The descriptor to which a terminal's output goes, or -1.
  int terminal() const;
  /// The value of key::streams in include/ukl/manifest.hpp.
  std::string word() const;
};

/// Looks at descriptors 0, 1 and 2 (was_closed() says which of them were closed at our start).
HostStreams look_at_host_streams();

/// Rows, columns, width and height in pixels of a terminal, with `separator` between them; empty if it does
/// not say.
std::string window_size(int terminal, char separator);

} // namespace ukl
