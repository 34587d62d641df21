// SPDX-License-Identifier: GPL-2.0-only
#include "support/packets.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

namespace ukl {
namespace {

// An address holds 108 bytes, and a folder's name may be longer: it is named by our descriptor.
template <typename Call> int by_short_name(const std::filesystem::path& path, Call call) {
  const FileDescriptor folder(open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder)
    return -1;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}", folder.get(),
                   path.filename().string());
  return call(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(sizeof address));
}

} // namespace

Result<FileDescriptor> listen_for_packets(const std::filesystem::path& path) {
  return listen_at(path, SOCK_SEQPACKET | SOCK_NONBLOCK);
}

Result<FileDescriptor> connect_for_packets(const std::filesystem::path& path) {
  return connect_at(path, SOCK_SEQPACKET);
}

Result<FileDescriptor> listen_at(const std::filesystem::path& path, int type) {
  FileDescriptor fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  unlink(path.c_str());
  const auto made = by_short_name(
      path, [&](const sockaddr* address, socklen_t size) { return bind(fd.get(), address, size); });
  if (!fd || made != 0 || listen(fd.get(), 16) != 0)
    return file_error(path, "write", errno);
  return fd;
}

Result<FileDescriptor> connect_at(const std::filesystem::path& path, int type) {
  FileDescriptor fd(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  const auto connected = by_short_name(
      path, [&](const sockaddr* address, socklen_t size) { return connect(fd.get(), address, size); });
  if (!fd || connected != 0)
    return file_error(path, "read", errno);
  return fd;
}

bool send_packet(int socket, char kind, std::string_view bytes) {
  iovec parts[] = {{&kind, 1}, {const_cast<char*>(bytes.data()), bytes.size()}};
  msghdr message = {};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  ssize_t sent = -1;
  do
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

bool send_with_descriptor(int socket, std::string_view text, int descriptor) {
  iovec part = {const_cast<char*>(text.data()), text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

} // namespace ukl
