// SPDX-License-Identifier: GPL-2.0-only
#include "machine/hypervisor.hpp"
#include "machine/warm_keeping.hpp"
#include "machine/warm_machine.hpp"
#include "sample_files.hpp"
#include "support/files.hpp"
#include "support/text.hpp"
#include "ukl/run_settings.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using Time = MachineSupervisor::Time;
using Use = MachineOptions::Warm::Use;

constexpr const char* kDone = R"({"return": {}, "id": "monitor:warm"})";

// What QEMU is asked next; its answer.
std::string asked(QemuMonitor& monitor) {
  return monitor.take_request();
}
void answer(QemuMonitor& monitor, const std::string& line) {
  monitor.on_reply(line + "\n");
}

class WarmTest : public testing::Test {
protected:
  WarmTest() { asked(monitor); } // its own greeting

  void look(std::uint64_t written) { warm->look(monitor, supervisor, written, now); }

  QemuMonitor monitor;
  MachineSupervisor supervisor{{}};
  std::optional<WarmKeeping> warm;
  Time now = Time() + std::chrono::hours(1);
};

TEST_F(WarmTest, KeepsAMachineWhoseOutputIsHere) {
  warm.emplace(MachineOptions::Warm{Use::keep, "/a'b", 8000, {}}, -1, "");
  warm->on_start(supervisor);
  warm->on_listening(9000, supervisor);
  EXPECT_EQ(supervisor.take_message(), "");
  warm->on_listening(8000, supervisor);
  EXPECT_EQ(supervisor.take_message(), "quiet\n");
  supervisor.on_control("quiet 10 5\n", now);
  look(14);
  EXPECT_EQ(asked(monitor), "") << "a byte is on its way";
  look(15);
  EXPECT_THAT(asked(monitor), HasSubstr("\"stop\""));
  answer(monitor, kDone);
  look(15);
  EXPECT_EQ(asked(monitor), "") << "more may come of what it had written";
  now = *warm->next_time();
  look(15);
  EXPECT_THAT(asked(monitor), HasSubstr("x-ignore-shared"));
  answer(monitor, kDone);
  look(15);
  EXPECT_THAT(asked(monitor), HasSubstr(R"(exec:cat > '/a'\\''b/state')"));
  answer(monitor, kDone);
  look(15);
  now = *warm->next_time();
  look(15);
  EXPECT_THAT(asked(monitor), HasSubstr("query-migrate"));
  answer(monitor, R"({"return": {"status": "active"}, "id": "monitor:warm"})");
  look(15);
  EXPECT_FALSE(warm->kept());
  now = *warm->next_time();
  look(15);
  EXPECT_THAT(asked(monitor), HasSubstr("query-migrate"));
  answer(monitor, R"({"return": {"status": "completed"}, "id": "monitor:warm"})");
  look(15);
  EXPECT_TRUE(warm->kept());
}

// It wrote between the question and the stop: it runs on and is asked again.
TEST_F(WarmTest, ABusyProgramIsAskedAgain) {
  warm.emplace(MachineOptions::Warm{Use::keep, "/a", 0, {}}, -1, "");
  warm->on_start(supervisor);
  EXPECT_EQ(supervisor.take_message(), "quiet\n");
  supervisor.on_control("quiet 10 0\n", now);
  look(10);
  answer(monitor, kDone);
  look(10);
  asked(monitor);
  now = *warm->next_time();
  look(12);
  EXPECT_THAT(asked(monitor), HasSubstr("\"cont\""));
  EXPECT_EQ(supervisor.take_message(), "quiet\n");
}

TEST_F(WarmTest, GoesOnAndThenSaysWhatIsNew) {
  warm.emplace(MachineOptions::Warm{Use::go_on, "/a", 0, {}}, 7, "abcd");
  warm->on_greeting(monitor);
  EXPECT_THAT(asked(monitor), HasSubstr("x-ignore-shared"));
  answer(monitor, kDone);
  look(0);
  EXPECT_THAT(asked(monitor), HasSubstr("fd:7"));
  answer(monitor, kDone);
  look(0);
  now = *warm->next_time();
  look(0);
  asked(monitor);
  answer(monitor, R"({"return": {"status": "completed"}, "id": "monitor:warm"})");
  look(0);
  EXPECT_THAT(asked(monitor), HasSubstr("\"cont\""));
  EXPECT_EQ(supervisor.take_message(), "");
  answer(monitor, kDone);
  look(0);
  EXPECT_EQ(supervisor.take_message(), "go-on abcd\n");
  look(0);
  EXPECT_EQ(supervisor.take_message(), "") << "once";
}

TEST_F(WarmTest, WhatQemuRefusesIsAnError) {
  warm.emplace(MachineOptions::Warm{Use::go_on, "/a", 0, {}}, 7, "");
  warm->on_greeting(monitor);
  answer(monitor, R"({"error": {"class": "GenericError", "desc": "no such thing"}, "id": "monitor:warm"})");
  look(0);
  EXPECT_EQ(warm->error(), "no such thing");
}

// The seed is another one each time; the settings are there.
TEST(WarmSettings, HoldASeedOfTheirOwn) {
  const Manifest settings = {{std::string(key::hostname), "other"}};
  const auto one = go_on_settings(settings), other = go_on_settings(settings);
  ASSERT_TRUE(one && other);
  EXPECT_NE(*one, *other);
  std::string bytes;
  for (std::size_t at = 0; at < one->size(); at += 2)
    bytes += static_cast<char>(std::stoi(one->substr(at, 2), nullptr, 16));
  const auto read = decode_run_settings(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(value_of(*read, key::hostname), "other");
  EXPECT_EQ(value_of(*read, key::seed).size(), 128u);
}

class WarmMachineTest : public FolderTest {
protected:
  WarmMachine sample() {
    WarmMachine warm;
    warm.folder = at("kept");
    warm.qemu = "QEMU 1";
    warm.processor = "tcg";
    warm.machine = "microvm";
    warm.memory = 4096;
    fs::create_directories(warm.folder);
    EXPECT_TRUE(write_text(warm.image_file(), "image"));
    EXPECT_TRUE(write_text(warm.memory_file(), std::string(4096, '\0')));
    EXPECT_TRUE(write_text(warm.state_file(), "state"));
    EXPECT_TRUE(write_warm_machine(warm));
    return warm;
  }
};

TEST_F(WarmMachineTest, IsReadAsItWasWritten) {
  const auto warm = sample();
  EXPECT_TRUE(is_warm_machine(warm.folder));
  EXPECT_FALSE(is_warm_machine(at("nothing")));
  const auto read = read_warm_machine(warm.folder);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->machine, "microvm");
  EXPECT_EQ(read->memory, 4096u);
}

TEST_F(WarmMachineTest, DamagedOnesAreRefused) {
  const auto warm = sample();
  fs::resize_file(warm.memory_file(), 4095);
  EXPECT_FALSE(read_warm_machine(warm.folder));
  fs::resize_file(warm.memory_file(), 4096);
  fs::remove(warm.state_file());
  EXPECT_FALSE(read_warm_machine(warm.folder));
  for (const char* text :
       {"", "[]", "{}", R"({"format": 2})", R"({"format": 1, "qemu": 3})", R"({"format": "1"})"}) {
    ASSERT_TRUE(write_text(warm.folder / "machine.json", text));
    EXPECT_FALSE(read_warm_machine(warm.folder)) << text;
  }
}

// The machine that goes on maps the memory for itself; the one that is kept writes it.
TEST(WarmCommand, MapsTheMemory) {
  MachineOptions options;
  options.image = "a.ukl";
  options.accelerator = Accelerator::tcg;
  options.warm = {Use::go_on, "/a,b", 0, {}};
  const auto goes_on = machine_command(qemu(), options, {}, {});
  ASSERT_TRUE(goes_on);
  const auto line = shell_line(*goes_on);
  EXPECT_THAT(line, HasSubstr("share=off,mem-path=/a,,b/memory"));
  EXPECT_THAT(line, HasSubstr("memory-backend=memory"));
  EXPECT_THAT(line, HasSubstr("-incoming defer"));
  options.warm.use = Use::keep;
  const auto keeps = machine_command(qemu(), options, {}, {});
  ASSERT_TRUE(keeps);
  EXPECT_THAT(shell_line(*keeps), HasSubstr("share=on"));
  EXPECT_THAT(shell_line(*keeps), Not(HasSubstr("-incoming")));
}

} // namespace
} // namespace ukl
