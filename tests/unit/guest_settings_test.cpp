// SPDX-License-Identifier: GPL-2.0-only
#include "image/guest_settings.hpp"
#include "sample_files.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using Values = std::vector<std::string>;

TEST(GuestSettings, DefaultsAreThoseOfQemusUserNetwork) {
  auto checked = check_settings({}, "my program");
  ASSERT_TRUE(checked);
  EXPECT_EQ(value_of(checked->manifest, key::address), "10.0.2.15/24");
  EXPECT_EQ(value_of(checked->manifest, key::gateway), "10.0.2.2");
  EXPECT_EQ(values_of(checked->manifest, key::dns), Values{"10.0.2.3"});
  EXPECT_EQ(value_of(checked->manifest, key::directory), "/");
  EXPECT_EQ(value_of(checked->manifest, key::hostname), "my-program");
  EXPECT_TRUE(values_of(checked->manifest, key::user).empty());
}

TEST(GuestSettings, NoNetwork) {
  GuestSettings settings;
  settings.addresses = {"none"};
  auto checked = check_settings(settings, "p");
  ASSERT_TRUE(checked);
  EXPECT_TRUE(values_of(checked->manifest, key::address).empty());
  EXPECT_TRUE(values_of(checked->manifest, key::gateway).empty());
  EXPECT_TRUE(values_of(checked->manifest, key::dns).empty());
}

TEST(GuestSettings, LimitsTakeTheManifestsForm) {
  GuestSettings settings;
  settings.limits = {"nofile=1024", "stack=8192:unlimited"};
  auto checked = check_settings(settings, "p");
  ASSERT_TRUE(checked);
  EXPECT_EQ(values_of(checked->manifest, key::limit), (Values{"nofile:1024:1024", "stack:8192:unlimited"}));
}

TEST(GuestSettings, Users) {
  const auto user = [](const std::string& text) {
    GuestSettings settings;
    settings.user = text;
    return check_settings(settings, "p");
  };
  EXPECT_EQ(value_of(user("1000:100")->manifest, key::user), "1000:100");
  EXPECT_EQ(value_of(user("1000")->manifest, key::user), "1000:1000");
  EXPECT_EQ(value_of(user("nobody")->manifest, key::user), "65534:65534");
  EXPECT_TRUE(user("nobody")->passwd_line.starts_with("nobody:x:65534:"));
  EXPECT_EQ(user("root")->passwd_line, "");
  for (const char* wrong : {"no-such-user", "1:2:3", "-1", "4294967295", ":", "1:"})
    expect_error(user(wrong), Failure::usage, wrong);
}

TEST(GuestSettings, MistakesAreNamed) {
  const auto with = [](auto change) {
    GuestSettings settings;
    change(settings);
    return check_settings(settings, "p");
  };
  expect_error(with([](auto& s) { s.environment = {"NAME"}; }), Failure::usage, "--env NAME");
  expect_error(with([](auto& s) { s.environment = {"=x"}; }), Failure::usage, "--env =x");
  expect_error(with([](auto& s) { s.directory = "here"; }), Failure::usage, "--cwd here");
  expect_error(with([](auto& s) { s.hostname = "a b"; }), Failure::usage, "--hostname a b");
  expect_error(with([](auto& s) { s.addresses = {"10.0.2.15"}; }), Failure::usage, "--address 10.0.2.15");
  expect_error(with([](auto& s) { s.addresses = {"10.0.2.15/33"}; }), Failure::usage,
               "--address 10.0.2.15/33");
  expect_error(with([](auto& s) { s.gateways = {"10.0.2"}; }), Failure::usage, "--gateway 10.0.2");
  expect_error(with([](auto& s) { s.addresses = {"fd00::1"}; }), Failure::usage, "--address fd00::1");
  expect_error(with([](auto& s) { s.addresses = {"fd00::1/129"}; }), Failure::usage, "--address fd00::1/129");
  expect_error(with([](auto& s) {
                 s.addresses = {"10.0.0.1/8", "10.0.0.2/8"};
               }),
               Failure::usage, "10.0.0.2/8");
  expect_error(with([](auto& s) { s.addresses = {"10.0.0.1/8", "none"}; }), Failure::usage, "--address none");
  expect_error(with([](auto& s) { s.dns = {"ns.example"}; }), Failure::usage, "--dns ns.example");
  expect_error(with([](auto& s) { s.dns = {"10.0.2.3/24"}; }), Failure::usage, "--dns 10.0.2.3/24");
  expect_error(with([](auto& s) { s.search = {"a b"}; }), Failure::usage, "--dns-search a b");
  expect_error(with([](auto& s) { s.hosts = {"name"}; }), Failure::usage, "--add-host name");
  expect_error(with([](auto& s) { s.hosts = {"name:1.2.3"}; }), Failure::usage, "--add-host name:1.2.3");
  for (const char* wrong :
       {"10.8.0.0", "10.8.0.0/33", "10.8.0.0/16=", "10.8.0.0/16=fd00::1", "x/8", "fd00::/129", "=10.0.2.7"})
    expect_error(with([&](auto& s) { s.routes = {wrong}; }), Failure::usage, std::string("--route ") + wrong);
  expect_error(with([](auto& s) { s.groups = {"audio"}; }), Failure::usage, "--group-add audio");
  expect_error(with([](auto& s) { s.mtu = 67; }), Failure::usage, "--mtu 67");
  for (const char* wrong : {"nofile", "nofile=", "nofile=x", "files=1", "nofile=1:2:3", "nofile=-1"})
    expect_error(with([&](auto& s) { s.limits = {wrong}; }), Failure::usage, wrong);
}

TEST(GuestSettings, AnAddressBringsItsRouterAndNameServer) {
  GuestSettings settings;
  settings.addresses = {"192.168.7.9/16", "fd00:1::9/64"};
  auto checked = check_settings(settings, "p");
  ASSERT_TRUE(checked);
  EXPECT_EQ(values_of(checked->manifest, key::gateway), (Values{"192.168.0.2", "fd00:1::2"}));
  EXPECT_EQ(values_of(checked->manifest, key::dns), (Values{"192.168.0.3", "fd00:1::3"}));
  settings.addresses = {"10.1.1.2/24"};
  settings.dns = {"none"};
  checked = check_settings(settings, "p");
  ASSERT_TRUE(checked);
  EXPECT_EQ(values_of(checked->manifest, key::gateway), Values{}) << "the program's own address";
  EXPECT_EQ(values_of(checked->manifest, key::dns), Values{});
}

TEST(GuestSettings, RoutesAndGroups) {
  GuestSettings settings;
  settings.routes = {"10.8.0.0/16=10.0.2.7", "fd07::/32=fe80::1", "169.254.1.1/32", "0.0.0.0/0"};
  settings.groups = {"4", "27"};
  const auto checked = check_settings(settings, "p");
  ASSERT_TRUE(checked);
  EXPECT_EQ(values_of(checked->manifest, key::route), settings.routes);
  EXPECT_EQ(values_of(checked->manifest, key::group), settings.groups);
}

TEST(RunGuestSettings, AreOnlyWhatIsGiven) {
  auto nothing = check_run_settings({});
  ASSERT_TRUE(nothing);
  EXPECT_EQ(*nothing, Manifest{});
  GuestSettings settings;
  settings.addresses = {"none"};
  settings.user = "postgres";
  auto checked = check_run_settings(settings);
  ASSERT_TRUE(checked);
  EXPECT_EQ(*checked,
            (Manifest{{"address", ""}, {"gateway", ""}, {"route", ""}, {"dns", ""}, {"user", "postgres"}}));
  settings.user = "1:2:3";
  expect_error(check_run_settings(settings), Failure::usage, "1:2:3");
}

TEST(GuestSettings, PortsAndTheSignalThatEndsIt) {
  GuestSettings settings;
  settings.ports = {"80", "53/udp"};
  settings.stop_signal = "SIGQUIT";
  const auto checked = check_settings(settings, "program");
  ASSERT_TRUE(checked);
  EXPECT_THAT(values_of(checked->manifest, key::port), testing::ElementsAre("80/tcp", "53/udp"));
  EXPECT_EQ(value_of(checked->manifest, key::stop_signal), "3");
  for (const auto* port : {"", "0", "65536", "80/sctp", "x"}) {
    settings.ports = {port};
    EXPECT_FALSE(check_settings(settings, "program")) << port;
  }
  settings = {};
  settings.stop_signal = "SIGNOTHING";
  EXPECT_FALSE(check_settings(settings, "program"));
}

} // namespace
} // namespace ukl
