// SPDX-License-Identifier: GPL-2.0-only
#include "machine/options.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

TEST(ParseSize, TakesUnits) {
  EXPECT_EQ(*parse_size("64M"), 64ull << 20);
  EXPECT_EQ(*parse_size("1G"), 1ull << 30);
  EXPECT_EQ(*parse_size("65536k"), 64ull << 20);
  EXPECT_EQ(*parse_size("256"), 256ull << 20);
}

TEST(ParseSize, RefusesEverythingElse) {
  for (const char* text : {"", "M", "0", "0G", "1T", "-1M", "1.5G", "1GB", "99999999999999999999",
                           "18446744073709551615G", "64*"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().failure, Failure::usage);
    EXPECT_THAT(size.error().hint, HasSubstr("-m"));
  }
}

TEST(ParseForward, TakesAddressAndProtocol) {
  const auto plain = parse_forward("8080:80");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->protocol, "tcp");
  EXPECT_EQ(plain->host_address, "127.0.0.1");
  EXPECT_EQ(plain->host_port, 8080);
  EXPECT_EQ(plain->guest_port, 80);

  const auto full = parse_forward("0.0.0.0:53:5353/udp");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->protocol, "udp");
  EXPECT_EQ(full->host_address, "0.0.0.0");
  EXPECT_EQ(full->host_port, 53);
  EXPECT_EQ(full->guest_port, 5353);
}

TEST(ParseForward, TakesIpv6InBrackets) {
  const auto forward = parse_forward("[fd00::1]:8080:80");
  ASSERT_TRUE(forward);
  EXPECT_EQ(forward->host_address, "fd00::1");
  EXPECT_EQ(forward->host_port, 8080);
  EXPECT_EQ(forward->host(), "[fd00::1]:8080");
  EXPECT_TRUE(forward->ipv6());
  EXPECT_EQ(parse_forward("80:80")->host(), "127.0.0.1:80");
  EXPECT_EQ(parse_forwards("[::]:8000-8002:80-82")->at(2).host(), "[::]:8002");
  for (const auto* text : {"::1:80:80", "[::1]:80", "[127.0.0.1]:80:80", "[::1:80:80", "[]:80:80"})
    EXPECT_FALSE(parse_forward(text)) << text;
}

TEST(ParseForward, TakesRanges) {
  const auto forwards = parse_forwards("0.0.0.0:8000-8002:80-82/udp");
  ASSERT_TRUE(forwards);
  ASSERT_EQ(forwards->size(), 3u);
  EXPECT_EQ((*forwards)[2].host_address, "0.0.0.0");
  EXPECT_EQ((*forwards)[2].host_port, 8002);
  EXPECT_EQ((*forwards)[2].guest_port, 82);
  EXPECT_EQ((*forwards)[2].protocol, "udp");
  EXPECT_EQ(parse_forwards("80:80")->size(), 1u);
  for (const char* text : {"1-2:1", "1-2:1-3", "2-1:2-1", "0-1:1-2", "1-:1-", "-", "65535-65536:1-2", "1-2"})
    EXPECT_FALSE(parse_forwards(text)) << text;
}

TEST(ForwardsOf, LeadToEachPortOfTheImage) {
  const auto forwards = forwards_of({{std::string(key::port), "80/tcp"}, {std::string(key::port), "53/udp"}});
  ASSERT_EQ(forwards.size(), 2u);
  EXPECT_EQ(forwards[0].host_port, 0);
  EXPECT_EQ(forwards[0].guest_port, 80);
  EXPECT_EQ(forwards[1].protocol, "udp");
}

TEST(ParseForward, RefusesEverythingElse) {
  for (const char* text : {"", "80", ":80", "80:", "80:0", "65536:80", "80:65536", "a:80", "80:80/sctp",
                           "1.2.3:80:80", "localhost:80:80", "80:-1"}) {
    const auto forward = parse_forward(text);
    ASSERT_FALSE(forward) << text;
    EXPECT_EQ(forward.error().failure, Failure::usage);
    EXPECT_THAT(forward.error().message, HasSubstr(text));
  }
}

TEST(ParseTimeout, TakesSecondsThatSomebodyCanWaitFor) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_timeout("2.5")->value(), 2500ms);
  EXPECT_EQ(parse_timeout("0.0001")->value(), 1ms);
  EXPECT_EQ(parse_timeout("1e3")->value(), 1000s);
  for (const char* endless : {"1e17", "1e308", "inf"})
    EXPECT_EQ(*parse_timeout(endless), std::nullopt) << endless;
  for (const char* wrong : {"", "nan", "-nan", "0", "-1", "-inf", "1s", "x", "1e999", " 1"}) {
    const auto timeout = parse_timeout(wrong);
    ASSERT_FALSE(timeout) << wrong;
    EXPECT_EQ(timeout.error().failure, Failure::usage);
  }
}

} // namespace
} // namespace ukl
