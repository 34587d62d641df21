// SPDX-License-Identifier: GPL-2.0-only
#include "guest_settings.hpp"
#include "sample_files.hpp"

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
  EXPECT_EQ(checked->hostname, "my-program");
  EXPECT_TRUE(values_of(checked->manifest, key::user).empty());
}

TEST(GuestSettings, NoNetwork) {
  GuestSettings settings;
  settings.address = "none";
  auto checked = check_settings(settings, "p");
  ASSERT_TRUE(checked);
  EXPECT_TRUE(values_of(checked->manifest, key::address).empty());
  EXPECT_TRUE(values_of(checked->manifest, key::gateway).empty());
  EXPECT_TRUE(checked->dns.empty());
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
  expect_error(with([](auto& s) { s.address = "10.0.2.15"; }), Failure::usage, "--address 10.0.2.15");
  expect_error(with([](auto& s) { s.address = "10.0.2.15/33"; }), Failure::usage, "--address 10.0.2.15/33");
  expect_error(with([](auto& s) { s.gateway = "10.0.2"; }), Failure::usage, "--gateway 10.0.2");
  expect_error(with([](auto& s) { s.dns = {"::1"}; }), Failure::usage, "--dns ::1");
  for (const char* wrong : {"nofile", "nofile=", "nofile=x", "files=1", "nofile=1:2:3", "nofile=-1"})
    expect_error(with([&](auto& s) { s.limits = {wrong}; }), Failure::usage, wrong);
}

} // namespace
} // namespace ukl
