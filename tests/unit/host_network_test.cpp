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
  for (const auto* text :
       {"", "tap", "tap:", "user:x", "tap:a,script=/bin/sh", "tap:../x", "bridge:0123456789abcdef", "x:y"})
    EXPECT_FALSE(HostNetwork::parse(text)) << text;
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
}

} // namespace
} // namespace ukl
