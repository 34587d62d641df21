// SPDX-License-Identifier: GPL-2.0-only
#include "machine/named_networks.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Subnet, HasABridgeAndRoomForMachines) {
  const auto subnet = Subnet::parse("10.77.3.0/24");
  ASSERT_TRUE(subnet);
  EXPECT_EQ(subnet->text(), "10.77.3.0/24");
  EXPECT_EQ(subnet->gateway(), "10.77.3.1");
  EXPECT_EQ(subnet->room(), 253u);
  EXPECT_EQ(subnet->address(0), "10.77.3.2");
  EXPECT_EQ(subnet->address(subnet->room() - 1), "10.77.3.254") << "the last one means all";
  EXPECT_EQ(Subnet::parse("192.168.0.248/29")->address(4), "192.168.0.254");
}

TEST(Subnet, IsANetworkAndNoAddress) {
  for (const auto* text : {"", "10.0.0.0", "10.0.0.0/30", "10.0.0.0/7", "10.0.0/24", "fd00::/64",
                           "10.0.0.0/24x", "10.0.0.0/", "300.0.0.0/24"})
    EXPECT_FALSE(Subnet::parse(text)) << text;
  const auto address = Subnet::parse("10.1.2.3/24");
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().failure, Failure::usage);
  EXPECT_THAT(address.error().hint, HasSubstr("10.1.2.0/24"));
}

TEST(NamedNetwork, ToolsAreAskedForIt) {
  const NamedNetwork network{"web", *Subnet::parse("10.77.0.0/24")};
  EXPECT_THAT(bridge_commands(network),
              ElementsAre(ElementsAre("ip", "link", "add", "ukl-web", "type", "bridge"),
                          ElementsAre("ip", "address", "add", "10.77.0.1/24", "dev", "ukl-web"),
                          ElementsAre("ip", "link", "set", "ukl-web", "up")));
  const auto rules = packet_rules(network);
  EXPECT_THAT(rules, HasSubstr("table inet ukl-web {"));
  EXPECT_THAT(rules, HasSubstr("ip saddr 10.77.0.0/24 oifname != \"ukl-web\" masquerade"));
  EXPECT_THAT(rules, HasSubstr("oifname \"ukl-web\" iifname != \"ukl-web\" drop"));
  const auto server = name_server_command(network, "/run/ukl/networks/web");
  EXPECT_THAT(server, Contains("--hostsdir=/run/ukl/networks/web/hosts"));
  EXPECT_THAT(server, Contains("--interface=ukl-web"));
  EXPECT_THAT(server, Not(Contains("--no-resolv")));
  EXPECT_THAT(name_server_command({"web", network.subnet, true}, "/run"), Contains("--no-resolv"))
      << "a network without a way out asks nobody outside";
}

TEST(NamedNetwork, HasIpv6BesideIt) {
  const auto beside = UniqueLocal::of("web");
  EXPECT_THAT(beside.prefix, testing::MatchesRegex("fd[0-9a-f]{2}:[0-9a-f]{4}:[0-9a-f]{4}::"));
  EXPECT_EQ(beside.prefix, UniqueLocal::of("web").prefix);
  EXPECT_NE(beside.prefix, UniqueLocal::of("db").prefix);
  EXPECT_EQ((UniqueLocal{"fd00:1:2::"}.address("10.77.3.1")), "fd00:1:2::a4d:301");
  const NamedNetwork network{"web", *Subnet::parse("10.77.0.0/24"), false, {"fd00:1:2::"}};
  EXPECT_THAT(bridge_commands(network),
              Contains(ElementsAre("ip", "address", "add", "fd00:1:2::a4d:1/64", "dev", "ukl-web", "nodad")));
  EXPECT_THAT(packet_rules(network), HasSubstr("ip6 saddr fd00:1:2::/64 oifname != \"ukl-web\" masquerade"));
  EXPECT_THAT(packet_rules({"web", network.subnet}), Not(HasSubstr("ip6")));
}

TEST(NamedNetwork, RefusesWhatIsNoName) {
  for (const auto* name :
       {"", "user", "passt", "none", "tap:x", "../x", "a b", "web,ip=10.0.0.2/24", "0123456789ab"})
    EXPECT_EQ(create_network({.name = name, .internal = true}).error().failure, Failure::usage) << name;
  EXPECT_EQ(create_network({.name = "web", .subnet = "10.1.2.3/24"}).error().failure, Failure::usage);
  EXPECT_EQ(create_network({.name = "web", .subnet = "127.0.0.0/8"}).error().failure, Failure::usage)
      << "this machine's own";
  EXPECT_EQ(remove_network("no-such").error().failure, Failure::not_found);
  EXPECT_EQ(NetworkLease::take("no-such", "db", "").error().failure, Failure::not_found);
}

} // namespace
} // namespace ukl
