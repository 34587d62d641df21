// SPDX-License-Identifier: GPL-2.0-only
// DHCP's messages. That servers answer them: tests/boot/clouds.boot.
#include "../../init/dhcp_message.cpp" // NOLINT(bugprone-suspicious-include): init is a program of its own

#include <gmock/gmock.h>

namespace ukl::init {
namespace {

const DhcpClient kClient = {0x01020304, {0x52, 0x54, 0, 0x12, 0x34, 0x56}};

in_addr address(const char* text) {
  in_addr parsed;
  EXPECT_EQ(inet_pton(AF_INET, text, &parsed), 1);
  return parsed;
}

// An answer to kClient with these options, as a server writes it.
std::string answer(const std::string& options, const char* given = "10.0.2.15") {
  std::string message(240, '\0');
  message[0] = 2;
  message[1] = 1;
  message[2] = 6;
  message.replace(4, 4, "\1\2\3\4");
  const auto own = address(given);
  message.replace(16, 4, reinterpret_cast<const char*>(&own), 4);
  message.replace(28, 6, std::string("\x52\x54\0\x12\x34\x56", 6));
  message.replace(236, 4, "\x63\x82\x53\x63");
  return message + options + '\xff';
}

const std::string kOffer("\x35\1\2", 3), kMask("\1\4\xff\xff\xff\0", 6);

TEST(DhcpMessage, QuestionsAreThoseOfTheStandard) {
  const auto discover = dhcp_discover(kClient);
  EXPECT_EQ(discover.size(), 300u);
  EXPECT_EQ(discover.substr(0, 8), std::string("\1\1\6\0\1\2\3\4", 8));
  EXPECT_EQ(discover.substr(10, 2), std::string("\x80\0", 2))
      << "to everybody, since there is no address yet";
  EXPECT_EQ(discover.substr(28, 6), std::string("\x52\x54\0\x12\x34\x56", 6));
  EXPECT_EQ(discover.substr(236, 7), std::string("\x63\x82\x53\x63\x35\1\1", 7));
  DhcpLease offer;
  offer.address = address("10.0.2.15");
  offer.server = address("10.0.2.2");
  const auto request = dhcp_request(kClient, offer);
  EXPECT_NE(request.find(std::string("\x32\4\x0a\0\2\x0f\x36\4\x0a\0\2\2", 12)), std::string::npos);
  const auto renew = dhcp_renew(kClient, offer);
  EXPECT_EQ(renew.substr(12, 4), std::string("\x0a\0\2\x0f", 4));
  EXPECT_EQ(renew.find(std::string("\x36\4", 2)), std::string::npos) << "any server may answer";
}

TEST(DhcpMessage, AnswersAreRead) {
  DhcpLease lease;
  EXPECT_EQ(
      parse_dhcp(answer(kOffer + kMask + std::string("\3\4\x0a\0\2\2\6\x8\x0a\0\2\3\x08\x08\x08\x08", 16) +
                        std::string("\x0f\x0b"
                                    "example.org\x1a\2\5\x78\x33\4\0\0\x0e\x10\x36\4\x0a\0\2\2",
                                    29)),
                 kClient, lease),
      DhcpAnswer::offer);
  EXPECT_EQ(lease.address.s_addr, address("10.0.2.15").s_addr);
  EXPECT_EQ(lease.prefix, 24);
  EXPECT_EQ(lease.router.s_addr, address("10.0.2.2").s_addr);
  ASSERT_EQ(lease.dns.size(), 2u);
  EXPECT_EQ(lease.dns[1].s_addr, address("8.8.8.8").s_addr);
  EXPECT_EQ(lease.domain, "example.org");
  EXPECT_EQ(lease.mtu, 1400u);
  EXPECT_EQ(lease.seconds, 3600u);
  EXPECT_EQ(lease.renew_after, 1800u);
  EXPECT_EQ(lease.server.s_addr, address("10.0.2.2").s_addr);
  EXPECT_EQ(parse_dhcp(answer(std::string("\x35\1\6", 3)), kClient, lease), DhcpAnswer::refused);
}

TEST(DhcpMessage, WhatIsDamagedOrForOthersIsNone) {
  DhcpLease lease;
  const auto good = answer(kOffer + kMask);
  EXPECT_EQ(parse_dhcp(good, kClient, lease), DhcpAnswer::offer);
  EXPECT_EQ(lease.seconds, UINT32_MAX) << "no time: for ever";
  for (std::size_t size = 0; size < good.size() - 1; ++size)
    EXPECT_NE(parse_dhcp(good.substr(0, size), kClient, lease), DhcpAnswer::acknowledged) << size;
  for (const std::size_t at : {0u, 4u, 28u, 236u}) {
    auto other = good;
    other[at] = static_cast<char>(other[at] + 1);
    EXPECT_EQ(parse_dhcp(other, kClient, lease), DhcpAnswer::none) << at;
  }
  EXPECT_EQ(parse_dhcp(answer(kOffer), kClient, lease), DhcpAnswer::none) << "no netmask";
  EXPECT_EQ(parse_dhcp(answer(kOffer + kMask, "0.0.0.0"), kClient, lease), DhcpAnswer::none);
  // A domain that would be another line of /etc/resolv.conf.
  EXPECT_EQ(parse_dhcp(answer(kOffer + kMask +
                              std::string("\x0f\5"
                                          "a\nb c",
                                          7)),
                       kClient, lease),
            DhcpAnswer::offer);
  EXPECT_EQ(lease.domain, "");
}

} // namespace
} // namespace ukl::init
