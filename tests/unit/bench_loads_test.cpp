// SPDX-License-Identifier: GPL-2.0-only
#include "bench/machine.hpp"
#include "bench/memcached_load.hpp"
#include "bench/operations.hpp"
#include "bench/other_loads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ukl::bench {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

TEST(BenchMemcached, TakesWholeAnswersOnly) {
  std::string received = "STORED\r\nVALUE key0001 0 3\r\nabc\r\nEND\r\nVALUE key0002 0 3\r\nab";
  const auto taken = take_answers(received);
  ASSERT_TRUE(taken);
  EXPECT_EQ(*taken, 2u);
  EXPECT_EQ(received, "VALUE key0002 0 3\r\nab");
}

TEST(BenchMemcached, RefusesWrongAnswers) {
  for (std::string wrong : {"ERROR\r\n", "END\r\n", "VALUE key0001 0 3\r\nabcd\r\nEND\r\n"})
    EXPECT_FALSE(take_answers(wrong)) << wrong;
}

TEST(BenchMemcached, Percentile) {
  std::vector<float> none, values = {5, 1, 4, 2, 3};
  EXPECT_EQ(percentile(none, 0.5), 0);
  EXPECT_EQ(percentile(values, 0.5), 3);
  EXPECT_EQ(percentile(values, 0.99), 5);
}

TEST(BenchLoads, ReadsRedisBenchmark) {
  const auto load =
      parse_redis("\"test\",\"rps\"\n\"GET\",\"20408.16\",\"0.431\",\"0.152\",\"0.423\",\"0.591\","
                  "\"0.695\",\"1.623\"\n");
  ASSERT_TRUE(load);
  EXPECT_DOUBLE_EQ(load->rate, 20408.16);
  EXPECT_DOUBLE_EQ(load->latency_50, 423);
  EXPECT_DOUBLE_EQ(load->latency_99, 695);
  EXPECT_FALSE(parse_redis("Could not connect to Redis\n"));
}

constexpr const char* kWrk = "Running 1s test @ http://127.0.0.1:80/\n"
                             "  Latency Distribution\n"
                             "     50%  512.00us\n"
                             "     99%    1.50ms\n"
                             "  2000 requests in 1.10s, 1.65MB read\n"
                             "Requests/sec:   1818.18\n";

TEST(BenchLoads, ReadsWrk) {
  const auto load = parse_wrk(kWrk);
  ASSERT_TRUE(load);
  EXPECT_DOUBLE_EQ(load->rate, 1818.18);
  EXPECT_DOUBLE_EQ(load->requests, 2000);
  EXPECT_DOUBLE_EQ(load->latency_50, 512);
  EXPECT_DOUBLE_EQ(load->latency_99, 1500);
}

TEST(BenchLoads, RefusesWrksErrors) {
  EXPECT_FALSE(parse_wrk(std::string(kWrk) + "  Non-2xx or 3xx responses: 7\n"));
  EXPECT_FALSE(parse_wrk("unable to connect\n"));
}

TEST(BenchOperations, ReadsTheConsole) {
  const std::string console = "Linux version 6.1\r\nbegin 1\r\nresult pipe median=1200 mean=1300.5 min=90\r\n"
                              "failed tcp no network\r\nend\r\n";
  const auto counted = parse_operations(console, true);
  EXPECT_THAT(counted.at("pipe").instructions.values, ElementsAre(1200));
  EXPECT_THAT(counted.at("pipe").mean_instructions.values, ElementsAre(1300.5));
  EXPECT_EQ(counted.at("tcp").failure, "no network");
  EXPECT_THAT(parse_operations(console, false).at("pipe").value.values, ElementsAre(90));
}

TEST(BenchMachine, NetworkCard) {
  auto machine = measured_machine();
  machine.manifest = {{"address", "10.0.2.15/24"}};
  const auto command = [&] { return *boot_command(machine); };
  EXPECT_THAT(command(), Not(Contains("-netdev")));
  machine.options.forwards = {{"udp", "127.0.0.1", 4000, 11211}};
  EXPECT_THAT(command(), Contains(HasSubstr("hostfwd=udp:127.0.0.1:4000-10.0.2.15:11211")));
  machine.options.forwards.clear();
  machine.tap = true;
  EXPECT_THAT(command(), Contains("tap,id=network,ifname=ukl0,script=no,downscript=no"));
}

TEST(BenchMachine, IsTheUsersOwn) {
  auto machine = measured_machine();
  machine.options.arguments = {"instructions"};
  machine.options.image = "a.ukl";
  machine.count_instructions = true;
  const auto command = *boot_command(machine);
  EXPECT_THAT(command, IsSupersetOf({"a.ukl", "q35,acpi=on", "-icount"}));
  EXPECT_THAT(command, Contains(HasSubstr("ukl.arg=instructions")));
  EXPECT_THAT(command, Not(Contains(HasSubstr("tsc_early_khz")))); // the guest's clock is another one
  machine.ours = false;
  machine.initrd = "a.cpio";
  EXPECT_THAT(*boot_command(machine), IsSupersetOf({"a.cpio", "console=ttyS0 quiet  -- instructions"}));
}

} // namespace
} // namespace ukl::bench
