// SPDX-License-Identifier: GPL-2.0-only
// Sockets by which processes on this machine talk in packets (unix(7), SOCK_SEQPACKET), each a letter and
// what belongs to it. They lie in folders that only their user can enter.
#pragma once

#include "support/files.hpp"

namespace ukl {

/// No packet is longer.
inline constexpr std::size_t kLongestPacket = 65536;

/// Listens as `path`, whose name may be longer than a socket's address, in place of an earlier socket there;
/// not blocking. Error: unwritable.
Result<FileDescriptor> listen_for_packets(const std::filesystem::path& path);
/// Connects to it. Error: unreadable (nobody listens).
Result<FileDescriptor> connect_for_packets(const std::filesystem::path& path);

/// The same with sockets of another type (SOCK_STREAM).
Result<FileDescriptor> listen_at(const std::filesystem::path& path, int type);
Result<FileDescriptor> connect_at(const std::filesystem::path& path, int type);

/// Sends a short text at once over such a socket, and with it a descriptor, unless that is -1. False: the
/// other side has gone, or takes no more.
bool send_with_descriptor(int socket, std::string_view text, int descriptor);

/// Sends one packet, waiting for room. False: the other side has gone.
bool send_packet(int socket, char kind, std::string_view bytes);

} // namespace ukl
