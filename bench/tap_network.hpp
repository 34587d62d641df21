// SPDX-License-Identifier: GPL-2.0-only
// The network between the host and a measured server, when it is not QEMU's own.
#pragma once

#include "support/files.hpp"

namespace ukl::bench {

constexpr const char* kTapName = "ukl0";
constexpr const char* kGuestAddress = "10.0.2.15"; ///< what the guests give themselves

/// A network name space that holds nothing but a loopback and a tap interface, kTapName, on which the host
/// has 10.0.2.2/24. QEMU attaches its card to it; loads reach the guest at its own address and port. Frames
/// pass from the host's kernel to QEMU, where QEMU's user network runs a TCP/IP stack of its own and copies
/// each byte through a second connection.
/// Sources: network_namespaces(7), Documentation/networking/tuntap.rst, netdevice(7).
class TapNetwork {
public:
  /// Moves the calling thread, with the processes it starts from now on, into a new one. Errors: machine (no
  /// right to make one, or no /dev/net/tun).
  static Result<TapNetwork> enter();
  TapNetwork(TapNetwork&&) = default;
  TapNetwork& operator=(TapNetwork&&) = delete;
  /// Moves the thread back. The interface goes when the last process that uses it ends.
  ~TapNetwork();

private:
  explicit TapNetwork(FileDescriptor outside) : outside_(std::move(outside)) {}
  FileDescriptor outside_;
};

} // namespace ukl::bench
