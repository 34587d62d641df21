// SPDX-License-Identifier: GPL-2.0-only
#include "calls/policy.hpp"
#include "sample_files.hpp"

#include <asm/unistd_64.h>
#include <fstream>

namespace ukl {
namespace {

constexpr CallKind kKinds[] = {CallKind::standard, CallKind::full, CallKind::direct, CallKind::masked,
                               CallKind::shortcut};

CallPolicy with(const std::vector<std::string>& choices) {
  CallPolicy policy;
  for (const auto& choice : choices) {
    const auto set = set_call(policy, choice);
    EXPECT_TRUE(set) << choice;
  }
  return policy;
}

TEST(CallKinds, EachHasANameThatLeadsBack) {
  for (const auto kind : kKinds)
    EXPECT_EQ(parse_kind(kind_name(kind)), kind);
  EXPECT_FALSE(parse_kind(""));
  EXPECT_FALSE(parse_kind("quick"));
}

TEST(CallKinds, ATableIsReadBackFromItsRecords) {
  CallTable table = {};
  for (std::uint32_t number = 0; number < table.size(); ++number)
    table[number] = kKinds[number % std::size(kKinds)];
  const auto records = call_records(table);
  EXPECT_EQ(records.front(), (Manifest::value_type{"syscall", "1:full"}));
  auto read = read_calls(records);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, table);
  EXPECT_TRUE(call_records({}).empty());
  // The last record of a number holds; other records are somebody else's.
  read = read_calls({{"syscall", "3:masked"}, {"arg", "3:full"}, {"syscall", "3:direct"}});
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[3], CallKind::direct);
}

TEST(CallKinds, RecordsThatNobodyWroteAreRefused) {
  for (const char* wrong :
       {"512:full", "1:other", "1", ":full", "1:", "1:full ", "-1:full", "", "4294967297:full"})
    expect_error(read_calls({{"syscall", wrong}}), Failure::not_an_image, "system call");
}

TEST(CallKinds, TakesNamesAndNumbersAndTheLastChoiceWins) {
  const auto policy =
      with({"getpid=full", "3=masked", "getpid=direct", "openat=default", "read=full", "read=masked"});
  EXPECT_EQ(policy.kinds, (std::map<std::uint32_t, CallKind>{{__NR_read, CallKind::masked},
                                                             {3, CallKind::masked},
                                                             {__NR_getpid, CallKind::direct},
                                                             {__NR_openat, CallKind::standard}}));
  EXPECT_EQ(policy.answered, (std::set<std::uint32_t>{__NR_getpid, __NR_openat}));
}

TEST(CallKinds, AllIsEveryCallOfTheGate) {
  const auto policy = with({"all=full", "read=direct"});
  EXPECT_EQ(policy.kinds.size(), static_cast<std::size_t>(UKL_GATE_CALLS));
  EXPECT_EQ(policy.kinds.at(0), CallKind::direct);
  EXPECT_EQ(policy.kinds.at(1), CallKind::full);
  EXPECT_EQ(policy.answered.size(), static_cast<std::size_t>(UKL_GATE_CALLS));
}

TEST(CallKinds, RefusesWhatItDoesNotKnow) {
  CallPolicy policy;
  for (const char* wrong :
       {"getpid", "getpid=quick", "getpid:full", "nonsense=full", "464=full", "=full", "-1=full", "", "="})
    expect_error(set_call(policy, wrong), Failure::usage, "");
  for (const char* wrong : {"", "some", "read", "=all"})
    expect_error(set_calls(policy, wrong), Failure::usage, "--calls");
  expect_error(set_calls(policy, "@/no/such/list"), Failure::not_found, "/no/such/list");
  expect_error(set_call(policy, "@/no/such/list=full"), Failure::not_found, "/no/such/list");
}

TEST(CallKinds, TheShortcutsAreThoseOfTheKernel) {
  const auto policy = with({"all=shortcut", "mount=shortcut"});
  EXPECT_TRUE(policy.answered.empty());
  std::ifstream header(UKL_SOURCE_DIR "/kernel/files/arch/x86/include/asm/ukl_shortcuts.h");
  std::map<std::uint32_t, CallKind> kernel;
  for (std::string line; std::getline(header, line);)
    if (line.starts_with("UKL_SHORTCUT("))
      kernel[static_cast<std::uint32_t>(std::stoul(line.substr(13)))] = CallKind::shortcut;
  EXPECT_FALSE(kernel.empty());
  EXPECT_EQ(policy.kinds, kernel);
}

} // namespace
} // namespace ukl
