// SPDX-License-Identifier: GPL-2.0-only
// The last of what a machine wrote on its console, and what it says about a machine that just ended.
#pragma once

#include "support/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ukl {

/// How QEMU itself ended.
struct QemuEnd {
  std::string errors; ///< what it said on its standard error
  int status = 0;     ///< 128 + signal if a signal ended it
  std::string reason; ///< of its event SHUTDOWN (qapi/run-state.json, ShutdownCause); empty: it told none
};

/// Why a machine ended without a status.
struct Ending {
  Error error;          ///< too_little_memory or machine
  std::string sentence; ///< the same in a few words, without the image's name: `Kernel panic: …`
};

class ConsoleTail {
public:
  /// Appends; only the last 16 KiB are kept.
  void add(std::string_view bytes);
  const std::string& text() const { return text_; }
  /// Why a machine that had `memory` bytes ended without a status: a kernel panic, with its reason; no
  /// memory; QEMU's own message, or how it ended; or nothing known.
  Ending explain(const std::string& image, const QemuEnd& qemu, std::uint64_t memory) const;
  /// `Out of memory in the guest: python3, 240 MiB` if Linux ended a program because the machine, which has
  /// `memory` bytes, ran out of it; else empty.
  std::string out_of_memory(std::uint64_t memory) const;

private:
  std::string text_;
};

} // namespace ukl
