// SPDX-License-Identifier: GPL-2.0-only
// The boot tests' runner itself: a runner that cannot fail would make every test worthless.
#include "console.hpp"
#include "execute.hpp"
#include "specification.hpp"
#include "support/files.hpp"

#include <gmock/gmock.h>

namespace {

using boot::CheckResult;
using boot::Outcome;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(BootSpecification, WordsAreSplitAsAShellDoes) {
  EXPECT_THAT(boot::split_words(R"(a "b c" 'd "e"' f\ g "" "quote \" x")"),
              ElementsAre("a", "b c", "d \"e\"", "f g", "", "quote \" x"));
  EXPECT_THAT(boot::split_words("   "), IsEmpty());
}

TEST(BootSpecification, ReadsBlocks) {
  const auto tests = boot::parse_tests("# comment\n"
                                       "NAME one\n"
                                       "TIMEOUT 9\n"
                                       "CHECK tls programs/tls.cpp -static -g : {checks}/lib.so x\n"
                                       "SECONDS 7\n"
                                       "HOST no\n"
                                       "RUN --cpus 4 \\\n"
                                       "  -m 1G\n"
                                       "EXPECT text\n"
                                       "STATUS 3\n"
                                       "COMMAND cat x\n"
                                       "NAME two\n"
                                       "PROFILE classic\n"
                                       "PACK prog -- a\n",
                                       "x.boot");
  ASSERT_TRUE(tests);
  ASSERT_THAT(*tests, SizeIs(2));
  const auto& one = (*tests)[0];
  EXPECT_EQ(one.seconds, 9);
  ASSERT_THAT(one.checks, SizeIs(1));
  EXPECT_THAT(one.checks[0].program.flags, ElementsAre("-static", "-g"));
  EXPECT_THAT(one.checks[0].arguments, ElementsAre("{checks}/lib.so", "x"));
  EXPECT_EQ(one.checks[0].seconds, 7);
  EXPECT_FALSE(one.checks[0].on_host);
  ASSERT_THAT(one.steps, SizeIs(2));
  EXPECT_EQ(one.steps[0].command, "--cpus 4 -m 1G");
  EXPECT_EQ(one.steps[0].status, 3);
  EXPECT_EQ(one.steps[1].kind, boot::Step::Kind::host);
  EXPECT_EQ((*tests)[1].profile, "classic");
  EXPECT_THAT((*tests)[1].steps, SizeIs(1)); // it runs once without a RUN
}

TEST(BootSpecification, NamesTheWrongLine) {
  for (const auto* text : {"NAME x\nEXPECT before a step\n", "NAME x\nNONSENSE\n", "RUN\n",
                           "NAME x\nTIMEOUT soon\n", "NAME x\nRUN\nSTATUS\n"}) {
    const auto tests = boot::parse_tests(text, "x.boot");
    ASSERT_FALSE(tests) << text;
    EXPECT_THAT(tests.error().message, HasSubstr("x.boot:"));
  }
}

TEST(BootConsole, ReadsTheDriversLines) {
  const auto results = boot::check_results("boot noise\n"
                                           "[check] good starts\n[check] good ok 12 ms\n"
                                           "[check] bad starts\n  | why\n[check] bad failed: exit status 1\n"
                                           "[check] other starts\n[check] other skipped: no such thing\n"
                                           "[check] lost starts\nlast words\n");
  ASSERT_THAT(results, SizeIs(4));
  EXPECT_EQ(results[0].kind, CheckResult::Kind::ok);
  EXPECT_EQ(results[1].kind, CheckResult::Kind::failed);
  EXPECT_EQ(results[1].detail, "exit status 1");
  EXPECT_THAT(results[1].output, HasSubstr("why"));
  EXPECT_EQ(results[2].kind, CheckResult::Kind::skipped);
  EXPECT_EQ(results[3].name, "lost"); // the machine died in it
  EXPECT_EQ(results[3].kind, CheckResult::Kind::failed);
  EXPECT_THAT(results[3].output, HasSubstr("last words"));
}

TEST(BootConsole, SeesTroubleOfTheKernel) {
  for (const auto* line :
       {"[    1.0] Kernel panic - not syncing: x", "[    2.0] WARNING: CPU: 1 PID: 33 at mm/x.c:1",
        "[    3.0] BUG: unable to handle page fault", "[ 4.0] Oops: 0002 [#1] SMP",
        "[   5.0] rcu: INFO: rcu_sched self-detected stall", "general protection fault: 0000 [#12]",
        "watchdog: BUG: soft lockup - CPU#0", "Call Trace:"})
    EXPECT_THAT(boot::kernel_trouble(std::string("fine\n") + line + "\nfine\n"), HasSubstr(line));
  EXPECT_EQ(boot::kernel_trouble("[ 1.0] traps: prog[3] general protection fault ip:1 sp:2 error:0\n"
                                 "  | a program may say BUG: in its own words\n[#x] [12] item #3\n"),
            "");
}

TEST(BootConsole, EmulatorFailure) {
  EXPECT_THAT(boot::emulator_failure("x\nukl: QEMU ended: msix.c:218: f: Assertion `a <= b' failed.\n"),
              HasSubstr("msix.c"));
  EXPECT_THAT(
      boot::emulator_failure("ukl: the machine of a.ukl was killed: QEMU ended by signal 6 (Aborted): "
                             "msix.c:218: f: Assertion `a <= b' failed.\n"),
      HasSubstr("msix.c"));
  for (const auto& [text, is_one] : {std::pair("11 (Segmentation fault)", true),
                                     {"6 (Aborted)", true},
                                     {"9 (Killed)", false},
                                     {"15 (Terminated)", false}})
    EXPECT_EQ(!boot::emulator_failure(
                   std::string("ukl: the machine of a.ukl was killed: QEMU ended by signal ") + text + "\n")
                   .empty(),
              is_one)
        << text;
  EXPECT_EQ(boot::emulator_failure("ukl: QEMU ended: no such option\n"), "");
  const std::string reset = "ukl: the machine of a.ukl was reset without a word: a triple fault\n";
  EXPECT_EQ(boot::emulator_failure(reset), "");
  EXPECT_THAT(boot::emulator_failure(reset, true), HasSubstr("without a word"));
  const std::string report = "[   32.2] int3: 0000 [#1] SMP\n[   32.2] RIP: 0010:__schedule+0x117/0x560\n";
  EXPECT_THAT(boot::emulator_failure(report + "[   32.2] Code: 1f 44 00 00 e9 <a0> 00 00\n"),
              HasSubstr("e9 <a0>"));
  EXPECT_EQ(boot::emulator_failure(report + "[   32.2] Code: 1f 44 00 00 cc <a0> 00 00\n"), "");
  EXPECT_EQ(boot::emulator_failure("[ 1.0] Oops: 0000 [#1] SMP\n[ 1.0] Code: 44 e9 <a0> 00\n"), "");
}

TEST(BootConsole, TailAndPlainText) {
  EXPECT_EQ(boot::tail("one\ntwo\nthree\n", 2), "    | two\n    | three\n");
  EXPECT_EQ(boot::tail("one", 5), "    | one\n");
  EXPECT_EQ(boot::plain_text("a\r\n\033[0;31mred\033[m"), "a\nred");
}

TEST(BootExpectations, JudgesBothWays) {
  const auto folder = ukl::TemporaryFolder::create("boot-runner");
  ASSERT_TRUE(folder);
  const auto list = folder->path() / "list";
  const auto judge = [&](const std::string& text, const std::string& console) {
    EXPECT_TRUE(ukl::write_text(list, text));
    return boot::compare_with_list(console, list.string(), "");
  };
  const std::string good = "[check] t starts\n[check] t ok 1 ms\n",
                    bad = "[check] t starts\n[check] t failed: exit status 1\n";
  EXPECT_EQ(judge("t 9 pass\n", good)[0].kind, Outcome::Kind::passed);
  EXPECT_EQ(judge("t 9 pass\n", bad)[0].kind, Outcome::Kind::failed);
  EXPECT_EQ(judge("t 9 fail a reason\n", bad)[0].kind, Outcome::Kind::passed);
  EXPECT_EQ(judge("t 9 fail a reason\n", good)[0].kind,
            Outcome::Kind::failed); // better than listed is wrong too
  EXPECT_EQ(judge("t 9 either a reason\n", good)[0].kind, Outcome::Kind::passed);
  EXPECT_EQ(judge("t 9 either a reason\n", bad)[0].kind, Outcome::Kind::passed);
  EXPECT_EQ(judge("t 9 fail\n", bad)[0].kind, Outcome::Kind::failed);                // without a reason
  EXPECT_EQ(judge("# nothing\n", good)[0].kind, Outcome::Kind::failed);              // not listed
  EXPECT_EQ(judge("t 9 pass\nu 9 pass\n", good).back().kind, Outcome::Kind::failed); // u never ran
  EXPECT_EQ(judge("t 9 pass : ./t -x\n", good)[0].kind, Outcome::Kind::passed);
  const auto omitted = judge("t 9 pass\nu 9 omit a reason\n", good);
  ASSERT_THAT(omitted, SizeIs(2));
  EXPECT_EQ(omitted[0].kind, Outcome::Kind::skipped);
}

} // namespace
