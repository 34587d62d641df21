// SPDX-License-Identifier: GPL-2.0-only
// Machines whose QEMU is a shell script: what the tool does with a hypervisor that behaves, or does not.
#include "machine/accelerator.hpp"
#include "machine/hypervisor.hpp"
#include "machine/run.hpp"
#include "support/files.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// Puts a script in QEMU's place. In it, $control is the number of the control port's descriptor, and so on
// for the streams' ports.
class FakeQemu : public testing::Test {
protected:
  void SetUp() override {
    path_ = std::getenv("PATH");
    setenv("PATH", (folder_.path().string() + ":" + path_).c_str(), 1);
    options_.image = "a.ukl";
    options_.accelerator = Accelerator::tcg;
    // What the machine is given as input, and where its console goes.
    input(write("input", ""));
    saved_output_ = FileDescriptor(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    const FileDescriptor file(open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    fflush(stdout);
    dup2(file.get(), STDOUT_FILENO);
  }

  void TearDown() override {
    fflush(stdout);
    dup2(saved_output_.get(), STDOUT_FILENO);
    setenv("PATH", path_.c_str(), 1);
  }

  void input(const std::filesystem::path& path) {
    const FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_TRUE(file);
    dup2(file.get(), STDIN_FILENO);
  }

  std::filesystem::path write(const std::string& name, const std::string& text, unsigned mode = 0600) {
    EXPECT_TRUE(write_text(folder_.path() / name, text, mode));
    return folder_.path() / name;
  }

  void fake(const std::string& script) {
    write(std::string(qemu().program),
          "#!/bin/bash\nwords=\"$*\"\n"
          "control=${words#*id=control,fd=}; control=${control%%[!0-9]*}\n"
          "input=${words#*id=input,fd=}; input=${input%%[!0-9]*}\n"
          "output=${words#*id=output,fd=}; output=${output%%[!0-9]*}\n" +
              script,
          0700);
  }

  std::string console() {
    auto text = read_text(output_);
    return text ? *text : std::string();
  }

  TemporaryFolder folder_ = std::move(*TemporaryFolder::create("ukl-machine-test"));
  std::filesystem::path output_ = folder_.path() / "output";
  FileDescriptor saved_output_;
  std::string path_;
  MachineOptions options_;
};

TEST_F(FakeQemu, PassesOutputAndStatusThrough) {
  fake("echo a word of the kernel; printf 'line\\n\\001\\377no newline' >&$output\n"
       "printf 'started\\nend 1 16\\nstatus 42\\n' >&$control\n");
  const auto end = run_machine(options_, {});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->status, 42);
  EXPECT_EQ(console(), "line\n\001\377no newline");
}

TEST_F(FakeQemu, GivesInputAndItsEndToTheInputPort) {
  std::string much;
  for (int line = 0; line < 50000; ++line)
    much += fmt::format("line {}\n", line);
  input(write("much", much));
  fake(fmt::format("head -c {0} <&$input >&$output; read -r line <&$control; echo \"$line\" >&$output\n"
                   "printf 'status 0\\n' >&$control\n",
                   much.size()));
  const auto end = run_machine(options_, {});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(console(), much + fmt::format("end 0 {}\n", much.size()));
}

TEST_F(FakeQemu, TellsTheGuestWhatOurStreamsAre) {
  fake("printf '%s' \"$words\" >&$output; printf 'status 0\\n' >&$control\n");
  ASSERT_TRUE(run_machine(options_, {}));
  EXPECT_THAT(console(), HasSubstr("ukl.streams=pipe,pipe,"));
}

TEST_F(FakeQemu, PassesSignalsOn) {
  fake("printf 'started\\n' >&$control; kill -TERM $PPID\n"
       "until [[ $line == signal* ]]; do read -r line <&$control; done\n"
       "echo \"$line\" >&$output; printf 'signalled 15\\nstatus 143\\n' >&$control\n");
  const auto end = run_machine(options_, {});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->status, 143);
  EXPECT_EQ(console(), "signal 15\n");
}

TEST_F(FakeQemu, StopsAtAnInterruptBeforeTheProgramRuns) {
  fake("kill -INT $PPID; exec sleep 100\n");
  const auto start = std::chrono::steady_clock::now();
  const auto end = run_machine(options_, {});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->status, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 50s);
}

// The reader of our output does not read: timeouts and signals are obeyed all the same.
TEST_F(FakeQemu, StalledReaderStallsNothingElse) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const FileDescriptor reader(ends[0]), writer(ends[1]);
  dup2(writer.get(), STDOUT_FILENO);
  fake("printf 'started\\n' >&$control; yes >&$output\n");
  options_.timeout = 500ms;
  const auto start = std::chrono::steady_clock::now();
  const auto end = run_machine(options_, {});
  dup2(saved_output_.get(), STDOUT_FILENO);
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->status, kTimedOut);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 60s);
}

TEST_F(FakeQemu, StopsAMachineThatFloodsTheControlPort) {
  // Descriptor 3 keeps the console open, as QEMU does.
  fake("exec tr '\\000' x </dev/zero 3>&1 >&$control\n");
  const auto end = run_machine(options_, {});
  ASSERT_FALSE(end);
  EXPECT_THAT(end.error().message, HasSubstr("floods"));
}

TEST_F(FakeQemu, StopsAfterTheTimeout) {
  fake("echo waiting >&$output; exec sleep 100\n");
  options_.timeout = 300ms;
  const auto end = run_machine(options_, {});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->status, kTimedOut);
  EXPECT_EQ(console(), "waiting\n");
}

TEST_F(FakeQemu, StopsAMachineThatDoesNotPowerOff) {
  fake("printf 'status 7\\n' >&$control; trap '' TERM; while :; do sleep 0.1; done\n");
  const auto end = run_machine(options_, {});
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->status, 7);
}

TEST_F(FakeQemu, ReportsAMachineWithoutStatus) {
  fake("echo 'Kernel panic - not syncing: test'\n");
  const auto end = run_machine(options_, {});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().failure, Failure::machine);
  EXPECT_THAT(end.error().message, HasSubstr("panicked: test"));
}

TEST_F(FakeQemu, ReportsWhatQemuSaid) {
  fake("echo 'qemu-system-x86_64: no such machine' >&2; exit 1\n");
  const auto end = run_machine(options_, {});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().failure, Failure::machine);
  EXPECT_EQ(end.error().message, "QEMU ended: no such machine");
}

TEST_F(FakeQemu, ReportsAPortThatWasTakenMeanwhile) {
  fake("echo \"qemu-system-x86_64: -netdev user: Could not set up host forwarding rule 'tcp:x'\" >&2; exit "
       "1\n");
  const auto end = run_machine(options_, {});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().failure, Failure::port_in_use);
}

TEST_F(FakeQemu, SaysHowToInstallQemu) {
  setenv("PATH", folder_.path().c_str(), 1);
  const auto end = run_machine(options_, {});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().failure, Failure::missing_tool);
  EXPECT_THAT(end.error().hint, HasSubstr("apt-get install"));
}

TEST_F(FakeQemu, ProbeWantsAMachineThatReportsStatusZero) {
  fake("[[ \"$words\" == *ukl.probe=1* && \"$words\" == *'-accel kvm'* ]] && printf 'status 0\\n' "
       ">&$control\n");
  EXPECT_TRUE(probe_with(options_)());
  EXPECT_EQ(console(), "");
  fake("echo broken\n");
  EXPECT_FALSE(probe_with(options_)());
  EXPECT_EQ(console(), "");
}

TEST(ChooseAccelerator, RemembersTheAnswerUntilTheHostBootsAgain) {
  if (access("/dev/kvm", R_OK | W_OK) != 0)
    GTEST_SKIP() << "there is no /dev/kvm here: nothing to choose";
  auto folder = TemporaryFolder::create("ukl-kvm-test");
  ASSERT_TRUE(folder);
  setenv("UKL_CACHE", folder->path().c_str(), 1);
  int probes = 0;
  Result<void> answer;
  const KvmProbe probe = [&]() -> Result<void> {
    ++probes;
    return answer;
  };
  EXPECT_EQ(choose_accelerator(probe), Accelerator::kvm);
  answer = Error{Failure::machine, "it does not boot", ""};
  EXPECT_EQ(choose_accelerator(probe), Accelerator::kvm);
  EXPECT_EQ(probes, 1);

  ASSERT_TRUE(write_text(folder->path() / "kvm", "another-boot works\n"));
  EXPECT_EQ(choose_accelerator(probe), Accelerator::tcg);
  EXPECT_EQ(choose_accelerator(probe), Accelerator::tcg);
  EXPECT_EQ(probes, 2);
  unsetenv("UKL_CACHE");
}

} // namespace
} // namespace ukl
