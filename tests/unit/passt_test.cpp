// SPDX-License-Identifier: GPL-2.0-only
#include "machine/passt.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::Contains;
using testing::IsSubsetOf;
using testing::Not;

TEST(PasstCommand, GivesTheMachineWhatItsSettingsSay) {
  const Manifest network = {
      {"address", "10.0.2.15/24"}, {"address", "fd00::15/64"}, {"gateway", "10.0.2.2"}, {"dns", "10.0.2.3"}};
  const auto command =
      passt_command(network, {*parse_forward("8080:80"), *parse_forward("[::1]:53:5353/udp")}, 7, 8);
  EXPECT_EQ(command[0], "passt");
  const auto has = [&](const std::string& option, const std::string& value) {
    for (std::size_t at = 0; at + 1 < command.size(); ++at)
      if (command[at] == option && command[at + 1] == value)
        return true;
    return false;
  };
  EXPECT_TRUE(has("--fd", "7"));
  EXPECT_TRUE(has("--pid", "/proc/self/fd/8"));
  EXPECT_TRUE(has("--address", "10.0.2.15"));
  EXPECT_TRUE(has("--netmask", "24"));
  EXPECT_TRUE(has("--address", "fd00::15"));
  EXPECT_TRUE(has("--gateway", "10.0.2.2"));
  EXPECT_TRUE(has("--dns-forward", "10.0.2.3"));
  EXPECT_TRUE(has("--tcp-ports", "127.0.0.1/8080:80"));
  EXPECT_TRUE(has("--udp-ports", "::1/53:5353"));
  // It would leave us, and nobody could end it.
  EXPECT_THAT(command, Contains("--foreground"));
}

TEST(PasstCommand, LeavesAnAddressThatTheNetworkGivesToIt) {
  EXPECT_THAT(passt_command({{"address", "dhcp"}}, {}, 7, 8), Not(Contains("--address")));
}

} // namespace
} // namespace ukl
