// SPDX-License-Identifier: GPL-2.0-only
#include "machine/qemu_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ukl {
namespace {

using testing::HasSubstr;

Manifest card(std::vector<std::string> addresses, std::vector<std::string> gateways = {},
              std::vector<std::string> dns = {}) {
  Manifest settings;
  for (const auto& [name, values] :
       {std::pair(key::address, addresses), {key::gateway, gateways}, {key::dns, dns}})
    for (const auto& value : values)
      settings.emplace_back(name, value);
  return settings;
}

std::string network(const Manifest& settings) {
  EXPECT_TRUE(check_user_network(settings));
  return qemu_user_network("n", settings, {});
}

std::string refused(const Manifest& settings) {
  const auto checked = check_user_network(settings);
  return checked ? "taken" : checked.error().message + "\n" + checked.error().hint;
}

TEST(QemuNetwork, HasQemusRouterAndNameServerWhereTheSettingsSay) {
  EXPECT_EQ(network(card({"10.9.0.4/24"}, {"10.9.0.1"}, {"10.9.0.3"})),
            "user,id=n,net=10.9.0.4/24,host=10.9.0.1,dns=10.9.0.3,ipv6=off");
  EXPECT_EQ(network(card({"10.9.0.4/24", "fd00::4/64"}, {"fd00::1"}, {"fd00::9"})),
            "user,id=n,net=10.9.0.4/24,ipv6-net=fd00::4/64,ipv6-host=fd00::1,ipv6-dns=fd00::9");
  EXPECT_EQ(network(card({"dhcp", "slaac"}, {"10.0.2.7"})), "user,id=n,host=10.0.2.7");
}

TEST(QemuNetwork, LeavesNameServersThatAreElsewhere) {
  EXPECT_EQ(network(card({"10.9.0.4/24"}, {}, {"1.1.1.1"})), "user,id=n,net=10.9.0.4/24,ipv6=off");
  // Of a family that the machine has no address of.
  EXPECT_EQ(network(card({"10.9.0.4/24"}, {"fd00::1"}, {"fd00::3"})), "user,id=n,net=10.9.0.4/24,ipv6=off");
}

TEST(QemuNetwork, RefusesARouterOutsideOfIt) {
  EXPECT_THAT(
      refused(card({"10.9.0.4/24"}, {"10.9.1.1"})),
      HasSubstr("the router 10.9.1.1 is not in the network of 10.9.0.4/24\nleave --gateway out: QEMU's user "
                "network has its own, 10.9.0.2"));
  EXPECT_THAT(refused(card({"dhcp"}, {"10.9.1.1"})), HasSubstr("is not in the network of 10.0.2.15/24"));
  EXPECT_THAT(refused(card({"fd00::4/64"}, {"fd01::1"})), HasSubstr("its own, fd00::2"));
  EXPECT_EQ(refused(card({"fd00::4/64"}, {"fe80::2"})), "taken");
}

TEST(QemuNetwork, RefusesOneWithoutRoom) {
  EXPECT_THAT(refused(card({"10.9.0.4/32"})), HasSubstr("no room"));
  EXPECT_THAT(refused(card({"10.9.0.4/30"})), HasSubstr("a prefix of at most 29"));
  EXPECT_EQ(refused(card({"10.9.0.4/29"})), "taken");
  EXPECT_THAT(refused(card({"fd00::4/126"})), HasSubstr("a prefix of at most 125"));
}

TEST(QemuNetwork, RefusesTheRoutersOwnAddress) {
  EXPECT_THAT(refused(card({"10.9.0.2/24"})), HasSubstr("10.9.0.2 is the router of QEMU's user network"));
  EXPECT_THAT(refused(card({"10.9.0.3/24"})), HasSubstr("10.9.0.3 is the name server of"));
  EXPECT_THAT(refused(card({"fd00:0::2/64"})), HasSubstr("is the router"));
  // Whoever says where they are may have these.
  EXPECT_EQ(refused(card({"10.9.0.2/24"}, {"10.9.0.1"})), "taken");
}

} // namespace
} // namespace ukl
