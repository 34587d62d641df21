// SPDX-License-Identifier: GPL-2.0-only
#include "machine/checks.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ukl {
namespace {

using testing::HasSubstr;

// A socket on a free port of 127.0.0.1, and the port.
FileDescriptor take_port(int type, std::uint16_t& port) {
  FileDescriptor fd(socket(AF_INET, type | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  if (type == SOCK_STREAM) {
    EXPECT_EQ(listen(fd.get(), 1), 0);
  }
  EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  port = ntohs(address.sin_port);
  return fd;
}

TEST(CheckPorts, NamesAPortThatIsTaken) {
  for (const auto& [type, protocol] : {std::pair(SOCK_STREAM, "tcp"), std::pair(SOCK_DGRAM, "udp")}) {
    std::uint16_t port = 0;
    auto taken = take_port(type, port);
    const Forward forward{protocol, "127.0.0.1", port, 80};
    const auto checked = check_ports({forward});
    ASSERT_FALSE(checked) << protocol;
    EXPECT_EQ(checked.error().failure, Failure::port_in_use);
    EXPECT_THAT(checked.error().message, HasSubstr(std::to_string(port)));
    EXPECT_THAT(checked.error().hint, HasSubstr("-p"));
    taken = FileDescriptor();
    EXPECT_TRUE(check_ports({forward})) << protocol;
  }
}

TEST(CheckPorts, NamesAnAddressThatIsNotOurs) {
  // 192.0.2.0/24 is for documentation (RFC 5737): nobody has it.
  const auto checked = check_ports({{"tcp", "192.0.2.1", 45678, 80}});
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().failure, Failure::usage);
  EXPECT_THAT(checked.error().message, HasSubstr("192.0.2.1:45678"));
}

TEST(CheckMemory, NamesASizeThatSuffices) {
  MemoryNeed need;
  need.least = 40ull << 20;
  need.comfortable = 300ull << 20;
  MachineOptions options;
  options.image = "a.ukl";
  options.memory = need.least;
  EXPECT_TRUE(check_memory(options, need));
  options.memory = need.least - 1;
  const auto checked = check_memory(options, need);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().failure, Failure::too_little_memory);
  EXPECT_THAT(checked.error().message, HasSubstr("a.ukl"));
  EXPECT_THAT(checked.error().hint, HasSubstr("-m 40M"));
  EXPECT_THAT(checked.error().hint, HasSubstr("300 MiB"));
}

TEST(ChooseFreePorts, GivesEachItsOwn) {
  std::vector<Forward> forwards = {*parse_forward("0:80"), *parse_forward("0:81"), *parse_forward("1234:82")};
  const auto sentences = choose_free_ports(forwards);
  ASSERT_TRUE(sentences);
  EXPECT_EQ(sentences->size(), 2u);
  EXPECT_NE(forwards[0].host_port, 0);
  EXPECT_NE(forwards[0].host_port, forwards[1].host_port);
  EXPECT_EQ(forwards[2].host_port, 1234);
  EXPECT_TRUE(check_ports(forwards));
}

} // namespace
} // namespace ukl
