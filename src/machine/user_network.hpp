// SPDX-License-Identifier: GPL-2.0-only
// What QEMU's user network still holds: it acknowledges what the guest sends before the host's client has it,
// and forgets it when QEMU ends.
#pragma once

#include "machine/qemu_monitor.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ukl {

/// The bytes that wait for clients of the host, in the text that QEMU's monitor command `info usernet` gives
/// (libslirp's slirp_connection_info(): RecvQ is what came from the guest).
std::uint64_t unsent_bytes(std::string_view connections);

/// Asks a QEMU over its machine protocol until nothing is unsent.
class UserNetworkDrain {
public:
  using Time = std::chrono::steady_clock::time_point;

  /// Asks if it is time to. The first call begins.
  void ask(QemuMonitor& monitor, Time now);
  /// Looks for QEMU's answer.
  void look(QemuMonitor& monitor, Time now);
  /// When to call ask() again even if nothing comes.
  std::optional<Time> next_time() const;
  /// Everything has been delivered, or waiting longer is of no use.
  bool done() const { return done_; }
  /// Bytes that were not delivered, since no client took any of them for ten seconds.
  std::uint64_t given_up() const { return given_up_; }

private:
  bool begun_ = false, asked_ = false, done_ = false;
  std::uint64_t unsent_ = UINT64_MAX, given_up_ = 0;
  Time next_, progress_;
};

} // namespace ukl
