// SPDX-License-Identifier: GPL-2.0-only
// The network between the host and a measured server, when it is not QEMU's own.
#pragma once

#include "support/files.hpp"

namespace ukl::bench {

constexpr const char* kTapName = "ukl0";
constexpr const char* kGuestAddress = "10.0.2.15"; ///< what the guests give themselves

/// While it exists, the calling thread, with the processes that it starts, is in another network name space.
/// Source: setns(2).
class NetworkVisit {
public:
  /// Makes a new, empty name space. Error: machine (no right to).
  static Result<NetworkVisit> to_new_network();
  /// Error: machine.
  static Result<NetworkVisit> to(const FileDescriptor& network);
  NetworkVisit(NetworkVisit&&) = default;
  NetworkVisit& operator=(NetworkVisit&&) = delete;
  ~NetworkVisit();

private:
  explicit NetworkVisit(FileDescriptor outside) : outside_(std::move(outside)) {}
  FileDescriptor outside_;
};

/// A network name space for one machine. It holds nothing but a loopback and a tap interface, kTapName, on
/// which the host has 10.0.2.2/24. QEMU attaches its card to it; loads reach the guest at its own address and
/// port. Frames pass from the host's kernel to QEMU, where QEMU's user network runs a TCP/IP stack of its own
/// and copies each byte through a second connection. Returns a descriptor that keeps it alive, as the
/// processes in it do.
/// Errors: machine (no right to make one, or no /dev/net/tun).
/// Sources: network_namespaces(7), Documentation/networking/tuntap.rst, netdevice(7).
Result<FileDescriptor> make_tap_network();

} // namespace ukl::bench
