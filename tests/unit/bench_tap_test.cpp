// SPDX-License-Identifier: GPL-2.0-only
#include "bench/tap_network.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <net/if.h>

namespace ukl::bench {
namespace {

using testing::UnorderedElementsAre;

std::vector<std::string> interfaces() {
  std::vector<std::string> names;
  auto* list = if_nameindex();
  for (const auto* at = list; at && at->if_index != 0; ++at)
    names.emplace_back(at->if_name);
  if_freenameindex(list);
  return names;
}

TEST(BenchTap, IsAloneWithALoopbackAndIsLeftAgain) {
  const auto before = interfaces();
  const auto first = make_tap_network();
  if (!first)
    GTEST_SKIP() << first.error().message;
  EXPECT_EQ(interfaces(), before);
  const auto second = make_tap_network();
  ASSERT_TRUE(second);
  for (const auto* network : {&*first, &*second}) {
    const auto visit = NetworkVisit::to(*network);
    ASSERT_TRUE(visit);
    EXPECT_THAT(interfaces(), UnorderedElementsAre("lo", kTapName));
  }
  EXPECT_EQ(interfaces(), before);
}

TEST(BenchTap, NoNetworkToVisit) {
  const auto visit = NetworkVisit::to(FileDescriptor());
  ASSERT_FALSE(visit);
  EXPECT_EQ(visit.error().failure, Failure::machine);
}

} // namespace
} // namespace ukl::bench
