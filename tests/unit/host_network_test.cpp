// SPDX-License-Identifier: GPL-2.0-only
#include "machine/host_network.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

TEST(HostNetwork, AsItIsWritten) {
  EXPECT_EQ(HostNetwork::parse("user")->kind, HostNetwork::Kind::user);
  EXPECT_EQ(HostNetwork::parse("none")->kind, HostNetwork::Kind::none);
  EXPECT_EQ(HostNetwork::parse("tap:tap0")->name, "tap0");
  EXPECT_EQ(HostNetwork::parse("bridge:br-web")->kind, HostNetwork::Kind::bridge);
  EXPECT_EQ(HostNetwork::parse("passt")->kind, HostNetwork::Kind::passt);
  EXPECT_EQ(HostNetwork::parse("web")->kind, HostNetwork::Kind::named);
  EXPECT_EQ(HostNetwork::parse("web")->bridge(), "ukl-web");
  EXPECT_EQ(HostNetwork::parse("bridge:br-web")->bridge(), "br-web");
  for (const auto* text :
       {"", "tap", "tap:", "user:x", "tap:a,script=/bin/sh", "tap:../x", "bridge:0123456789abcdef", "x:y",
        "passt:x", "web:x", "../x", "a-name-of-12", "none,ip=10.0.0.1/24", "user,ip=", "user,", "user,mac=1",
        "user,mac=52:54:00:12:34:56,mac=52:54:00:12:34:57"})
    EXPECT_FALSE(HostNetwork::parse(text)) << text;
}

TEST(HostNetwork, EachCardMayHaveAddressesOfItsOwn) {
  const auto card = HostNetwork::parse("tap:tap1,ip=10.1.0.2/24,mac=52-54-00-AB-CD-01,ip=fd00::2/64");
  ASSERT_TRUE(card);
  EXPECT_EQ(card->name, "tap1");
  EXPECT_EQ(card->mac, "52:54:00:ab:cd:01");
  EXPECT_THAT(card->addresses, testing::ElementsAre("10.1.0.2/24", "fd00::2/64"));
  for (const auto* text : {"user", "none", "web", "bridge:br0", "private:back,ip=10.1.0.2/24",
                           "tap:tap1,ip=10.1.0.2/24,ip=fd00::2/64,mac=52:54:00:ab:cd:01"})
    EXPECT_EQ(HostNetwork::parse(text)->text(), text);
}

TEST(HostNetwork, QueuesAreForDevicesThatHaveThem) {
  HostNetwork user;
  choose_queues(user, 4, true);
  EXPECT_EQ(user.queues, 1u);
  EXPECT_FALSE(user.vhost);
  HostNetwork bridge{HostNetwork::Kind::bridge, "br", ""};
  choose_queues(bridge, 4, false);
  EXPECT_EQ(bridge.queues, 1u);
  EXPECT_FALSE(bridge.vhost) << "its worker needs KVM";
}

TEST(HostNetwork, AddressesOfCards) {
  EXPECT_EQ(*parse_mac("52:54:00:AB:cd:01"), "52:54:00:ab:cd:01");
  EXPECT_EQ(*parse_mac("52-54-00-ab-cd-01"), "52:54:00:ab:cd:01");
  for (const auto* text : {"", "52:54:00:ab:cd", "53:54:00:ab:cd:01", "00:00:00:00:00:00",
                           "52:54:00:ab:cd:0g", "52:54:00:ab:cd:01:02"})
    EXPECT_FALSE(parse_mac(text)) << text;
  EXPECT_EQ(mac_for("web"), mac_for("web"));
  EXPECT_NE(mac_for("web"), mac_for("db"));
  EXPECT_TRUE(parse_mac(mac_for("web")));
}

TEST(HostNetwork, WhatIsNotThereIsSaid) {
  const auto missing = check_host_network({HostNetwork::Kind::tap, "ukl-none", ""});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().failure, Failure::not_found);
  EXPECT_THAT(missing.error().hint, HasSubstr("ip tuntap add ukl-none"));
  EXPECT_THAT(check_host_network({HostNetwork::Kind::bridge, "lo", ""}).error().message,
              HasSubstr("is no bridge"));
  EXPECT_TRUE(check_host_network({}));
  const auto network = check_host_network(*HostNetwork::parse("ukl-none"));
  EXPECT_EQ(network.error().failure, Failure::not_found);
  EXPECT_THAT(network.error().hint, HasSubstr("ukl network create ukl-none"));
}

} // namespace
} // namespace ukl
