// SPDX-License-Identifier: GPL-2.0-only
#include "machine/forwarded_ports.hpp"
#include "socket_reading.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

FileDescriptor stream() {
  FileDescriptor fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  return fd;
}

std::uint16_t free_port() {
  auto fd = stream();
  auto address = loopback(0);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

bool connects(const FileDescriptor& fd, std::uint16_t port) {
  const auto address = loopback(port);
  return connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// What QEMU does for a forwarded port.
FileDescriptor qemus_listener(std::uint16_t port) {
  auto server = stream();
  const auto address = loopback(port);
  EXPECT_EQ(bind(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(server.get(), 1), 0);
  return server;
}

// The next client of a listener, which is not blocking once its clients were taken.
FileDescriptor next_client(const FileDescriptor& listener) {
  pollfd event = {listener.get(), POLLIN, 0};
  poll(&event, 1, 5000);
  return FileDescriptor(accept(listener.get(), nullptr, nullptr));
}

TEST(ForwardedPorts, AreTakenByOneMachine) {
  const auto port = free_port();
  auto ports = ForwardedPorts::hold({{"tcp", "127.0.0.1", port, 80}, {"udp", "127.0.0.1", port, 53}});
  ASSERT_TRUE(ports);
  EXPECT_THAT(ports->awaited(), ElementsAre(80));
  const auto server = qemus_listener(port);
  ports->take_clients(getpid());
  const auto again = ForwardedPorts::hold({{"tcp", "127.0.0.1", port, 80}});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().failure, Failure::port_in_use);
}

// It came when QEMU listened already, and had not accepted anybody yet.
TEST(ForwardedPorts, AClientThatComesFirstOfAllIsServedAsWell) {
  const auto port = free_port();
  auto ports = ForwardedPorts::hold({{"tcp", "127.0.0.1", port, 80}});
  ASSERT_TRUE(ports);
  EXPECT_TRUE(ports->has_untaken());
  const auto server = qemus_listener(port);
  const auto early = stream();
  ASSERT_TRUE(connects(early, port));
  ASSERT_EQ(write(early.get(), "question", 8), 8);
  ports->take_clients(getpid());
  EXPECT_FALSE(ports->has_untaken());
  pollfd none = {server.get(), POLLIN, 0};
  EXPECT_EQ(poll(&none, 1, 100), 0) << "QEMU would accept it for a program that does not listen";

  QemuMonitor monitor;
  EXPECT_THAT(ports->open(80, "10.0.2.15", monitor), IsEmpty());
  const FileDescriptor passed = next_client(server);
  EXPECT_EQ(read_some(passed), "question");
}

TEST(ForwardedPorts, AClientThatComesEarlyIsServedWhenTheProgramListens) {
  const auto port = free_port();
  auto ports = ForwardedPorts::hold({{"tcp", "127.0.0.1", port, 80}});
  ASSERT_TRUE(ports);
  const auto server = qemus_listener(port);
  ports->take_clients(getpid());
  const auto early = stream();
  ASSERT_TRUE(connects(early, port));
  ASSERT_EQ(write(early.get(), "question", 8), 8);
  pollfd none = {server.get(), POLLIN, 0};
  EXPECT_EQ(poll(&none, 1, 100), 0) << "QEMU got a client of a program that does not listen";

  QemuMonitor monitor;
  EXPECT_THAT(ports->open(80, "10.0.2.15", monitor), IsEmpty());
  const FileDescriptor passed = next_client(server);
  EXPECT_EQ(read_some(passed), "question");
  ASSERT_EQ(write(passed.get(), "answer", 6), 6);
  EXPECT_EQ(read_some(early), "answer");
  // An end goes through in both directions.
  shutdown(early.get(), SHUT_WR);
  EXPECT_EQ(read_some(passed), "");
  shutdown(passed.get(), SHUT_WR);
  EXPECT_EQ(read_some(early), "");
}

// One after the other, without a pause, while the port changes hands.
TEST(ForwardedPorts, NobodyIsRefusedWhenTheProgramBeginsToListen) {
  const auto port = free_port();
  auto ports = ForwardedPorts::hold({{"tcp", "127.0.0.1", port, 80}});
  ASSERT_TRUE(ports);
  const auto server = qemus_listener(port);
  ports->take_clients(getpid());
  std::atomic<bool> opened = false;
  std::atomic<int> refused = 0;
  std::thread clients([&] {
    for (int after = 0; after < 200; after += opened ? 1 : 0)
      if (!connects(stream(), port))
        ++refused;
  });
  std::atomic<bool> ended = false;
  std::thread accepting([&] {
    while (!ended) {
      pollfd event = {server.get(), POLLIN, 0};
      if (poll(&event, 1, 20) == 1)
        close(accept(server.get(), nullptr, nullptr));
    }
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  QemuMonitor monitor;
  ports->open(80, "10.0.2.15", monitor);
  opened = true;
  clients.join();
  ended = true;
  accepting.join();
  EXPECT_EQ(refused, 0);
}

TEST(ForwardedPorts, NobodyWaitsForEver) {
  const auto port = free_port();
  auto ports = ForwardedPorts::hold({{"tcp", "127.0.0.1", port, 80}});
  ASSERT_TRUE(ports);
  auto server = qemus_listener(port);
  ports->take_clients(getpid());
  const auto early = stream(), late = stream();
  ASSERT_TRUE(connects(early, port));
  const ForwardedPorts::Time now{};
  ports->on_start(now);
  ASSERT_TRUE(ports->next_time());
  EXPECT_EQ(*ports->next_time(), now + std::chrono::seconds(10));
  QemuMonitor monitor;
  ports->refuse_clients(monitor);
  EXPECT_FALSE(ports->next_time());
  EXPECT_THAT(monitor.take_request(),
              HasSubstr("hostfwd_remove network tcp:127.0.0.1:" + std::to_string(port) + "\""));
  server = FileDescriptor();
  EXPECT_EQ(read_some(early), "an error");
  EXPECT_FALSE(connects(late, port));

  // A program that listens late is served all the same.
  ports->open(80, "10.0.2.15", monitor);
  EXPECT_THAT(monitor.take_request(),
              HasSubstr("hostfwd_add network tcp:127.0.0.1:" + std::to_string(port) + "-10.0.2.15:80"));
  server = qemus_listener(port);
  monitor.on_reply("{\"return\": \"\", \"id\": \"monitor:forward 127.0.0.1:" + std::to_string(port) +
                   "\"}\r\n");
  bool opened = false;
  EXPECT_THAT(ports->take_answers(monitor, opened), IsEmpty());
  EXPECT_TRUE(opened);
  EXPECT_TRUE(connects(stream(), port));
}

TEST(ForwardedPorts, WhatQemuRefusesIsSaid) {
  const auto port = free_port();
  auto ports = ForwardedPorts::hold({{"tcp", "127.0.0.1", port, 80}});
  ASSERT_TRUE(ports);
  QemuMonitor monitor;
  ports->refuse_clients(monitor);
  ports->open(80, "10.0.2.15", monitor);
  monitor.on_reply("{\"return\": \"could not set up\\r\\n\", \"id\": \"monitor:forward 127.0.0.1:" +
                   std::to_string(port) + "\"}\n");
  bool opened = false;
  EXPECT_THAT(ports->take_answers(monitor, opened), ElementsAre(HasSubstr("QEMU says could not set up")));
  EXPECT_FALSE(opened);
}

TEST(QemuMonitor, TellsAnswersAndEvents) {
  QemuMonitor monitor;
  monitor.command("one", "info \"name\"");
  EXPECT_THAT(monitor.take_request(), HasSubstr(R"("command-line":"info \"name\"")"));
  EXPECT_EQ(monitor.take_request(), "");
  monitor.on_reply("{\"QMP\": {}}\n{\"return\": {}}\nno json\n{\"return\": \"te");
  EXPECT_TRUE(monitor.take_greeting());
  EXPECT_FALSE(monitor.take_greeting());
  EXPECT_FALSE(monitor.take_answer("one"));
  monitor.on_reply("xt\", \"id\": \"monitor:one\"}\n{\"event\": \"RESUME\"}\n");
  EXPECT_EQ(monitor.take_answer("one"), "text");
  EXPECT_FALSE(monitor.take_answer("one"));
  EXPECT_TRUE(monitor.take_resumed());
  EXPECT_FALSE(monitor.take_resumed());
}

} // namespace
} // namespace ukl
