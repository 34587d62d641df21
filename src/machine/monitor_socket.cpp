// SPDX-License-Identifier: GPL-2.0-only
#include "machine/monitor_socket.hpp"
#include "support/packets.hpp"

#include <sys/socket.h>

namespace ukl {
namespace {

constexpr const char* kSocket = "monitor";

} // namespace

Result<FileDescriptor> listen_for_monitor(const std::filesystem::path& folder) {
  return listen_at(folder / kSocket, SOCK_STREAM);
}

Result<FileDescriptor> connect_to_monitor(const std::filesystem::path& folder) {
  return connect_at(folder / kSocket, SOCK_STREAM);
}

} // namespace ukl
