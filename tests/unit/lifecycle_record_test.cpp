// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/events.hpp"
#include "lifecycle/record_json.hpp"

#include <csignal>
#include <fstream>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LifecycleRecord : public testing::Test {
protected:
  TemporaryFolder folder_ = *TemporaryFolder::create("record");
  std::filesystem::path machines_ = folder_.path() / "machines";

  RecordedPlan plan(std::string name, bool remove = false) const {
    RecordedPlan plan;
    plan.name = std::move(name);
    plan.image = "/srv/Web server.ukl";
    plan.detached = true;
    plan.remove = remove;
    plan.created = now();
    return plan;
  }

  // Makes a record in another process, which then dies.
  void leave_by_a_dead(const RecordedPlan& of, MachineState state) const {
    const pid_t pid = fork();
    if (pid == 0) {
      auto record = MachineRecord::create(machines_, of);
      state.pid = getpid();
      state.pid_started = process_start_time(getpid());
      record->write(state);
      kill(getpid(), SIGKILL);
    }
    waitpid(pid, nullptr, 0);
  }
};

TEST_F(LifecycleRecord, NamesAreUnique) {
  auto first = MachineRecord::create(machines_, plan("web"));
  ASSERT_TRUE(first);
  auto second = MachineRecord::create(machines_, plan("web"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().failure, Failure::name_in_use);
  EXPECT_THAT(second.error().hint, HasSubstr("ukl rm -f web"));
  // Without a name: the image's, in letters that a name may have, and a number.
  EXPECT_EQ(MachineRecord::create(machines_, plan(""))->plan().name, "Web-server");
  auto kept = MachineRecord::create(machines_, plan(""));
  EXPECT_EQ(kept->plan().name, "Web-server-2");
}

TEST_F(LifecycleRecord, RefusesWhatIsNoName) {
  for (const auto* name : {"-x", ".", "..", "a/b", "a b", "ä", ".gone-1-x"}) {
    const auto record = MachineRecord::create(machines_, plan(name));
    ASSERT_FALSE(record) << name;
    EXPECT_EQ(record.error().failure, Failure::usage) << name;
    EXPECT_EQ(known_machine(machines_, name).error().failure, Failure::no_such_machine) << name;
  }
  EXPECT_FALSE(MachineRecord::create(machines_, plan(std::string(64, 'x'))));
  EXPECT_TRUE(MachineRecord::create(machines_, plan(std::string(63, 'x'))));
}

TEST_F(LifecycleRecord, IsReadByOthers) {
  auto record = MachineRecord::create(machines_, plan("web"));
  MachineState state;
  state.phase = MachineState::Phase::running;
  state.started = now() - std::chrono::minutes(5);
  state.qemu = 12;
  record->write(state);
  const auto known = known_machine(machines_, "web");
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->alive);
  EXPECT_EQ(known->plan.image, "/srv/Web server.ukl");
  EXPECT_EQ(known->state.qemu, 12);
  EXPECT_EQ(known->phase(), "running");
  EXPECT_EQ(known->sentence(now()), "Up 5 minutes");
  EXPECT_EQ(report(*known, now())["phase"], "running");
  const auto other = known_machine(machines_, "other");
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().hint, HasSubstr("web"));
}

TEST_F(LifecycleRecord, SaysHowAMachineEnded) {
  auto record = MachineRecord::create(machines_, plan("web"));
  MachineState state;
  state.phase = MachineState::Phase::ended;
  state.ended = now() - std::chrono::hours(3);
  state.status = 1;
  state.sentence = "Exited (1)";
  record->write(state);
  EXPECT_EQ(known_machine(machines_, "web")->sentence(now()), "Exited (1), 3 hours ago");
}

TEST_F(LifecycleRecord, TheDeadAreKnownByTheirLock) {
  MachineState state;
  state.phase = MachineState::Phase::running;
  state.started = now();
  leave_by_a_dead(plan("killed"), state);
  leave_by_a_dead(plan("gone", true), state);
  const auto known = known_machines(machines_);
  ASSERT_EQ(known.size(), 1u); // what was to leave nothing has left nothing
  EXPECT_FALSE(known[0].alive);
  EXPECT_EQ(known[0].sentence(now()), "Killed by the host");
  EXPECT_FALSE(send_signal(known[0], SIGKILL));
  EXPECT_TRUE(wait_for_end(known[0]));
  EXPECT_FALSE(std::filesystem::exists(machines_ / "gone"));
  // A killed machine's name is taken until somebody removes it, a removed one's is free.
  EXPECT_FALSE(MachineRecord::create(machines_, plan("killed")));
  EXPECT_TRUE(remove_record(known[0]));
  EXPECT_TRUE(MachineRecord::create(machines_, plan("killed")));
}

TEST_F(LifecycleRecord, ANumberOfAnotherProcessIsNotSignalled) {
  auto record = MachineRecord::create(machines_, plan("web"));
  MachineState state;
  state.pid = getpid();
  state.pid_started = process_start_time(getpid()) - 1;
  record->write(state);
  const auto known = known_machine(machines_, "web");
  ASSERT_TRUE(known->alive);
  EXPECT_FALSE(send_signal(*known, SIGKILL)); // or this test ends here
}

TEST_F(LifecycleRecord, OneThatRunsIsNotRemoved) {
  auto record = MachineRecord::create(machines_, plan("web"));
  const auto removed = remove_record(*known_machine(machines_, "web"));
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().failure, Failure::machine_runs);
}

TEST_F(LifecycleRecord, WaitsForTheEnd) {
  const pid_t pid = fork();
  if (pid == 0) {
    auto record = MachineRecord::create(machines_, plan("web"));
    pause();
  }
  while (!known_machine(machines_, "web"))
    usleep(1000);
  const auto known = *known_machine(machines_, "web");
  EXPECT_FALSE(wait_for_end(known, std::chrono::milliseconds(20)));
  kill(pid, SIGKILL);
  EXPECT_TRUE(wait_for_end(known, std::chrono::seconds(10)));
  waitpid(pid, nullptr, 0);
}

TEST_F(LifecycleRecord, DamagedFilesAreNoMachines) {
  std::filesystem::create_directories(machines_ / "broken");
  std::ofstream(machines_ / "broken" / "plan.json") << "{\"name\": 3}";
  std::filesystem::create_directories(machines_ / "empty");
  EXPECT_TRUE(known_machines(machines_).empty());
  // Whoever was killed while it made one leaves the name.
  EXPECT_TRUE(MachineRecord::create(machines_, plan("empty")));
}

// Many start under the name of one that was killed: each gets a name of its own, and none loses its record.
TEST_F(LifecycleRecord, ManyWhoFindTheSameRemains) {
  for (int round = 0; round < 20; ++round) {
    leave_by_a_dead(plan("", true), {});
    std::vector<pid_t> pids;
    for (int count = 0; count < 4; ++count) {
      const pid_t pid = fork();
      if (pid == 0) {
        auto record = MachineRecord::create(machines_, plan("", true));
        usleep(20000);
        const bool kept = record && std::filesystem::exists(record->folder() / "plan.json");
        _exit(kept ? 0 : 1);
      }
      pids.push_back(pid);
    }
    for (const pid_t pid : pids) {
      int status = 0;
      waitpid(pid, &status, 0);
      EXPECT_EQ(status, 0);
    }
    known_machines(machines_); // removes what they left
  }
}

TEST_F(LifecycleRecord, EventsAreKept) {
  std::filesystem::create_directories(machines_);
  MachineState state;
  state.status = 3;
  state.sentence = "Exited (3)";
  add_event(machines_, "web", "created");
  add_event(machines_, "web", "ended", state);
  std::vector<std::string> lines;
  ASSERT_TRUE(read_events(machines_, "", false, [&](const std::string& line) { lines.push_back(line); }));
  EXPECT_THAT(lines, ElementsAre(HasSubstr("created"), HasSubstr("Exited (3)")));
  EXPECT_EQ(last_status(machines_, "web"), 3);
  EXPECT_EQ(last_status(machines_, "other"), std::nullopt);
}

} // namespace
} // namespace ukl
