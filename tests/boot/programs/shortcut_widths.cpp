// SPDX-License-Identifier: GPL-2.0-only
// Calls on a TCP socket with arguments wider than the call takes, and with sizes at the limits: the same with
// and without --call all=shortcut.
#include "check.hpp"

#include <arpa/inet.h>
#include <climits>
#include <csignal>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <vector>

namespace {

constexpr long kHigh = 1L << 32; // above what an int holds

int ends[2];

void connect_pair() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE_OK(bind(listener, reinterpret_cast<sockaddr*>(&address), size));
  REQUIRE_OK(listen(listener, 1));
  REQUIRE_OK(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size));
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE_OK(connect(ends[0], reinterpret_cast<sockaddr*>(&address), size));
  ends[1] = accept(listener, nullptr, nullptr);
  REQUIRE_OK(ends[1]);
  close(listener);
}

void receive(const char* wanted) {
  char text[64] = {};
  REQUIRE_EQ(read(ends[1], text, sizeof text), strlen(wanted));
  REQUIRE(strcmp(text, wanted) == 0);
}

long call(long number, long a, const void* b, long c, long d = 0, long e = 0, long f = 0) {
  return syscall(number, a, b, c, d, e, f);
}

void widths() {
  char text[] = "ab";
  iovec vectors[2] = {{text, 1}, {text + 1, 1}};
  // Descriptors are 32 bits of their register, flags too; sizes are all of it.
  REQUIRE_EQ(call(SYS_write, ends[0] | kHigh, text, 2), 2);
  receive("ab");
  REQUIRE_EQ(call(SYS_writev, ends[0] | kHigh, vectors, 2), 2);
  receive("ab");
  REQUIRE_EQ(call(SYS_sendto, ends[0] | kHigh, text, 2, kHigh, 0, -1), 2);
  receive("ab");
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = 2;
  message.msg_namelen = 77;
  message.msg_flags = -1;
  REQUIRE_EQ(call(SYS_sendmsg, ends[0] | kHigh, &message, kHigh), 2);
  receive("ab");
  REQUIRE_EQ(call(SYS_write, ends[0], "xyz", 3), 3);
  char buffer[8] = {};
  REQUIRE_EQ(call(SYS_recvfrom, ends[1] | kHigh, buffer, sizeof buffer, MSG_PEEK | kHigh), 3);
  REQUIRE_EQ(call(SYS_read, ends[1] | kHigh, buffer, sizeof buffer), 3);

  for (const std::size_t count : {std::size_t{1025}, std::size_t{0x100000001}, SIZE_MAX}) {
    message.msg_iovlen = count;
    REQUIRE_ERRNO(call(SYS_sendmsg, ends[0], &message, 0), EMSGSIZE);
  }
  std::vector<iovec> many(1025, iovec{text, 0});
  REQUIRE_ERRNO(call(SYS_writev, ends[0], many.data(), 1025), EINVAL);
  many[1023] = {text, 2};
  REQUIRE_EQ(call(SYS_writev, ends[0], many.data(), 1024), 2);
  receive("ab");
  message.msg_iov = many.data();
  message.msg_iovlen = 1024;
  REQUIRE_EQ(call(SYS_sendmsg, ends[0], &message, 0), 2);
  receive("ab");
  iovec negative{text, SIZE_MAX};
  REQUIRE_ERRNO(call(SYS_writev, ends[0], &negative, 1), EINVAL);
  message.msg_iov = &negative;
  message.msg_iovlen = 1;
  REQUIRE_ERRNO(call(SYS_sendmsg, ends[0], &message, 0), EINVAL);
}

void sizes() {
  char text[16] = "0123456789";
  REQUIRE_ERRNO(call(SYS_read, ends[1], text, -1), EFAULT);
  REQUIRE_ERRNO(call(SYS_write, ends[0], text, -1), EFAULT);
  REQUIRE_EQ(call(SYS_read, ends[1], text, 0), 0);
  REQUIRE_EQ(call(SYS_write, ends[0], text, 0), 0);
  REQUIRE_ERRNO(call(SYS_read, ends[1], reinterpret_cast<void*>(0xffffffff81000000), 8), EFAULT);
  REQUIRE_ERRNO(call(SYS_write, ends[0], reinterpret_cast<void*>(0xffffffff81000000), 8), EFAULT);
  REQUIRE_ERRNO(call(SYS_recvfrom, -1, text, 8), EBADF);
  REQUIRE_ERRNO(call(SYS_recvfrom, ends[1], text, sizeof text, MSG_DONTWAIT), EAGAIN);
}

// Nothing to write is nothing to look at the socket for, except with sendmsg and sendto.
void after_the_end() {
  signal(SIGPIPE, SIG_IGN);
  shutdown(ends[0], SHUT_WR);
  char text[] = "ab";
  iovec empty{text, 0};
  REQUIRE_EQ(call(SYS_writev, ends[0], &empty, 1), 0);
  REQUIRE_EQ(call(SYS_writev, ends[0], nullptr, 0), 0);
  iovec full{text, 2};
  REQUIRE_ERRNO(call(SYS_writev, ends[0], &full, 1), EPIPE);
  REQUIRE_ERRNO(call(SYS_sendto, ends[0], text, 2, MSG_NOSIGNAL), EPIPE);
  REQUIRE_EQ(call(SYS_read, ends[1], text, 2), 0);
}

} // namespace

int main() {
  connect_pair();
  widths();
  sizes();
  after_the_end();
}
