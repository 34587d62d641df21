// SPDX-License-Identifier: GPL-2.0-only
// Sockets inside one machine: TCP and UDP over IPv4 and IPv6 loopback, unix sockets with credentials,
// non-blocking connections, many connections at once, and a transfer of some megabytes between processes.
#include "check.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <vector>

namespace {

int listener_on(sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE_OK(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
  REQUIRE_OK(listen(fd, 128));
  socklen_t size = sizeof address;
  REQUIRE_OK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size));
  return fd;
}

int connected_to(const sockaddr_in& address) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE_OK(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return fd;
}

void tcp_transfer() {
  sockaddr_in address;
  const int listener = listener_on(address);
  constexpr std::size_t total = 8 << 20;
  const pid_t child = fork();
  if (child == 0) {
    const int client = connected_to(address);
    std::vector<unsigned char> data(total);
    for (std::size_t i = 0; i < total; ++i)
      data[i] = static_cast<unsigned char>(i % 251);
    for (std::size_t sent = 0; sent < total;) {
      const ssize_t put = write(client, data.data() + sent, std::min<std::size_t>(100000, total - sent));
      if (put <= 0)
        _exit(1);
      sent += static_cast<std::size_t>(put);
    }
    shutdown(client, SHUT_WR);
    char answer[3] = {};
    _exit(read(client, answer, 3) == 2 && memcmp(answer, "ok", 2) == 0 ? 0 : 2);
  }
  const int peer = accept(listener, nullptr, nullptr);
  REQUIRE_OK(peer);
  std::vector<unsigned char> buffer(65536);
  std::size_t received = 0;
  for (ssize_t got; (got = read(peer, buffer.data(), buffer.size())) > 0;
       received += static_cast<std::size_t>(got))
    for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i)
      if (buffer[i] != (received + i) % 251)
        check::fail(__FILE__, __LINE__, "byte %zu is wrong", received + i);
  REQUIRE_EQ(received, total);
  REQUIRE_EQ(write(peer, "ok", 2), 2);
  int status;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 0);
  close(peer);
  close(listener);
}

void many_connections() {
  sockaddr_in address;
  const int listener = listener_on(address);
  std::thread server([&] {
    const int epoll = epoll_create1(0);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll_event event{EPOLLIN, {.fd = listener}};
    REQUIRE_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event));
    int closed = 0;
    while (closed < 50) {
      epoll_event events[16];
      const int count = epoll_wait(epoll, events, 16, 20000);
      REQUIRE(count > 0);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == listener) {
          for (int peer; (peer = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
            epoll_event added{EPOLLIN, {.fd = peer}};
            REQUIRE_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, peer, &added));
          }
          continue;
        }
        char buffer[256];
        const ssize_t got = read(fd, buffer, sizeof buffer);
        if (got > 0) {
          REQUIRE_EQ(write(fd, buffer, static_cast<std::size_t>(got)), got);
        } else if (got == 0) {
          close(fd);
          ++closed;
        }
      }
    }
    close(epoll);
  });
  std::vector<std::thread> clients;
  for (int thread = 0; thread < 5; ++thread)
    clients.emplace_back([&, thread] {
      for (int i = 0; i < 10; ++i) {
        const int fd = connected_to(address);
        const int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        for (int round = 0; round < 20; ++round) {
          const std::string text = std::to_string(thread * 1000 + i * 100 + round);
          REQUIRE_EQ(write(fd, text.data(), text.size()), text.size());
          char answer[32];
          std::size_t got = 0;
          while (got < text.size()) {
            const ssize_t part = read(fd, answer + got, sizeof answer - got);
            REQUIRE(part > 0);
            got += static_cast<std::size_t>(part);
          }
          REQUIRE_EQ(memcmp(answer, text.data(), text.size()), 0);
        }
        close(fd);
      }
    });
  for (auto& client : clients)
    client.join();
  server.join();
  close(listener);
  const int refused = socket(AF_INET, SOCK_STREAM, 0);
  REQUIRE_ERRNO(connect(refused, reinterpret_cast<sockaddr*>(&address), sizeof address), ECONNREFUSED);
  close(refused);
}

void datagrams() {
  const int one = socket(AF_INET6, SOCK_DGRAM, 0), two = socket(AF_INET6, SOCK_DGRAM, 0);
  REQUIRE_OK(one);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  REQUIRE_OK(bind(one, reinterpret_cast<sockaddr*>(&address), sizeof address));
  socklen_t size = sizeof address;
  REQUIRE_OK(getsockname(one, reinterpret_cast<sockaddr*>(&address), &size));
  for (int i = 0; i < 100; ++i) {
    const std::string text(static_cast<std::size_t>(i * 10), static_cast<char>('a' + i % 26));
    REQUIRE_EQ(sendto(two, text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&address), size),
               text.size());
    char buffer[2000];
    REQUIRE_EQ(recv(one, buffer, sizeof buffer, 0), text.size());
    REQUIRE_EQ(memcmp(buffer, text.data(), text.size()), 0);
  }
  close(one);
  close(two);
}

void unix_sockets() {
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "ukl-sockets-%d", getpid()); // abstract
  const auto size = static_cast<socklen_t>(sizeof address.sun_family + 1 + strlen(address.sun_path + 1));
  REQUIRE_OK(bind(listener, reinterpret_cast<sockaddr*>(&address), size));
  REQUIRE_OK(listen(listener, 8));
  const pid_t child = fork();
  if (child == 0) {
    const int client = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(client, reinterpret_cast<sockaddr*>(&address), size) != 0)
      _exit(1);
    char text[8] = {};
    for (int i = 0; i < 200; ++i)
      if (write(client, "ping", 4) != 4 || read(client, text, 4) != 4 || strcmp(text, "pong") != 0)
        _exit(2);
    _exit(0);
  }
  const int peer = accept(listener, nullptr, nullptr);
  ucred who{};
  socklen_t length = sizeof who;
  REQUIRE_OK(getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &length));
  REQUIRE_EQ(who.pid, child);
  char text[8] = {};
  for (int i = 0; i < 200; ++i) {
    REQUIRE_EQ(read(peer, text, 4), 4);
    REQUIRE_EQ(write(peer, "pong", 4), 4);
  }
  int status;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 0);
  close(peer);
  close(listener);
}

void file_to_socket() {
  int pair[2];
  REQUIRE_OK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  const int file = memfd_create("page", 0);
  const std::string content(30000, 'f');
  REQUIRE_EQ(write(file, content.data(), content.size()), content.size());
  off_t offset = 0;
  std::thread reader([&] {
    std::string received;
    char buffer[5000];
    while (received.size() < content.size()) {
      const ssize_t got = read(pair[1], buffer, sizeof buffer);
      REQUIRE(got > 0);
      received.append(buffer, static_cast<std::size_t>(got));
    }
    REQUIRE(received == content);
  });
  while (offset < 30000)
    REQUIRE(sendfile(pair[0], file, &offset, 30000) > 0);
  reader.join();
  for (const int fd : {pair[0], pair[1], file})
    close(fd);
}

} // namespace

int main() {
  tcp_transfer();
  many_connections();
  datagrams();
  unix_sockets();
  file_to_socket();
}
