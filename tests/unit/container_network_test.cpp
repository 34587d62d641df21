// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/container_network.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// As iproute2 6.1 prints them, less what nobody asks for.
constexpr const char* kAddresses = R"([
  {"ifindex": 1, "ifname": "lo", "link_type": "loopback", "mtu": 65536, "address": "00:00:00:00:00:00",
   "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]},
  {"ifindex": 2, "ifname": "net1", "link_type": "ether", "mtu": 1500, "address": "02:00:00:00:00:02",
   "addr_info": [{"family": "inet", "local": "192.168.9.3", "prefixlen": 24, "scope": "global"}]},
  {},
  {"ifindex": 3, "ifname": "eth0", "link_type": "ether", "mtu": 1450, "address": "02:00:00:00:00:01",
   "addr_info": [{"family": "inet", "local": "10.88.0.7", "prefixlen": 16, "scope": "global"},
                 {"family": "inet", "local": "10.88.0.8", "prefixlen": 16, "scope": "global"},
                 {"family": "inet6", "local": "fd00::7", "prefixlen": 64, "scope": "global"},
                 {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}]},
  {"ifindex": 4, "ifname": "down0", "link_type": "ether", "mtu": 1500, "address": "02:00:00:00:00:03",
   "addr_info": []}])";
constexpr const char* kRoutes4 = R"([
  {"dst": "default", "gateway": "10.88.0.1", "dev": "eth0", "metric": 100},
  {"dst": "10.88.0.0/16", "dev": "eth0", "protocol": "kernel", "scope": "link"},
  {"dst": "10.9.0.0/16", "gateway": "10.88.0.2", "dev": "eth0"},
  {"dst": "169.254.1.1", "dev": "eth0", "scope": "link"},
  {"dst": "10.4.0.0/16", "gateway": "192.168.9.1", "dev": "net1"}])";
constexpr const char* kRoutes6 = R"([
  {"dst": "fd00::/64", "dev": "eth0", "protocol": "kernel"},
  {"dst": "fe80::/64", "dev": "eth0", "protocol": "kernel"},
  {"dst": "default", "gateway": "fe80::9", "dev": "eth0"}])";

TEST(ContainerNetwork, IsReadFromWhatIpSays) {
  const auto interfaces = read_interfaces(kAddresses, kRoutes4, kRoutes6);
  ASSERT_TRUE(interfaces) << interfaces.error().message;
  ASSERT_EQ(interfaces->size(), 2U);
  const auto& first = interfaces->at(0);
  EXPECT_EQ(first.name, "eth0");
  EXPECT_EQ(first.mac, "02:00:00:00:00:01");
  EXPECT_EQ(first.mtu, 1450U);
  EXPECT_THAT(first.addresses, ElementsAre("10.88.0.7/16", "fd00::7/64"));
  EXPECT_THAT(first.gateways, ElementsAre("10.88.0.1", "fe80::9"));
  EXPECT_THAT(first.routes, ElementsAre("10.9.0.0/16=10.88.0.2", "169.254.1.1/32"));
  EXPECT_THAT(first.left_out, ElementsAre(HasSubstr("10.88.0.8")));
  const auto& second = interfaces->at(1);
  EXPECT_EQ(second.name, "net1");
  EXPECT_THAT(second.addresses, ElementsAre("192.168.9.3/24"));
  EXPECT_THAT(second.left_out, ElementsAre(HasSubstr("routes over net1")));
}

TEST(ContainerNetwork, MayHaveNoInterface) {
  const auto interfaces = read_interfaces("[]", "", "");
  ASSERT_TRUE(interfaces);
  EXPECT_THAT(*interfaces, IsEmpty());
}

TEST(ContainerNetwork, IsNotGuessed) {
  for (const auto* text : {"no JSON", "{}", R"([{"ifname": 3}])", R"([{"ifname": "a", "addr_info": [3]}])"}) {
    const auto interfaces = read_interfaces(text, "[]", "[]");
    ASSERT_FALSE(interfaces) << text;
    EXPECT_EQ(interfaces.error().failure, Failure::machine);
  }
}

TEST(ContainerNetwork, OfOurOwnNamespaceIsLeftAlone) {
  const auto network = take_interfaces("/proc/self/ns/net");
  ASSERT_TRUE(network) << network.error().message;
  EXPECT_THAT(network->interfaces, IsEmpty());
  EXPECT_THAT(network->run, IsEmpty());
  EXPECT_EQ(take_interfaces("/nowhere/at/all").error().failure, Failure::not_found);
}

} // namespace
} // namespace ukl
