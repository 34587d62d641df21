// SPDX-License-Identifier: GPL-2.0-only
// Rewritten programs still work: real ones, with all their libraries rewritten, on this machine's own kernel
// (tests/rewrite/fake_gate.hpp).
#include "../rewrite/fake_gate.hpp"

#include "rewrite/rewriter.hpp"
#include "support/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace fs = std::filesystem;
using namespace ukl;
using testing::HasSubstr;

namespace {

bool have(const std::string& tool) {
  auto found = run_command({"sh", "-c", "command -v " + tool});
  return found && found->status == 0;
}

class RewriteRun : public testing::Test {
protected:
  void SetUp() override {
    if (const auto why = test::FakeGate::obstacle(); !why.empty())
      GTEST_SKIP() << why;
    auto folder = TemporaryFolder::create("rewrite-run");
    ASSERT_TRUE(folder);
    folder_.emplace(std::move(*folder));
    gate_.emplace(folder_->path());
  }

  // Rewrites `path` into our folder. Its report, for tests that look at single sites.
  RewriteReport replace(const fs::path& path) {
    const auto original = fs::canonical(path);
    auto bytes = read_file(original);
    EXPECT_TRUE(bytes);
    auto report = rewrite_elf(*bytes, {original.string(), test::kFakeGate});
    if (!report) {
      ADD_FAILURE() << report.error().message;
      return {};
    }
    const auto copy =
        folder_->path() / ("r" + std::to_string(replacements_.size()) + original.filename().string());
    EXPECT_TRUE(write_text(copy, std::string(bytes->begin(), bytes->end()), 0755));
    if (!replaced_.insert(original).second)
      return *report;
    replacements_.push_back({copy, original});
    return *report;
  }

  // The same for a program and all libraries that the dynamic loader finds for it.
  void replace_all(const fs::path& program) {
    replace(program);
    auto list = run_command({"ldd", program.string()});
    ASSERT_TRUE(list);
    std::istringstream lines(list->text);
    for (std::string word; lines >> word;)
      if (word[0] == '/' && fs::exists(word))
        replace(word);
  }

  fs::path compile(const std::string& source, const std::string& name,
                   const std::vector<std::string>& command) {
    const auto file = folder_->path() / name;
    EXPECT_TRUE(write_text(file, source));
    const auto program = folder_->path() / (name + ".out");
    auto argv = command;
    argv.insert(argv.end(), {"-o", program.string(), file.string()});
    ProcessOptions options;
    options.directory = folder_->path();
    options.environment = {"GOCACHE=" + (folder_->path() / "go").string()};
    auto built = run_command(argv, options);
    if (!built || built->status != 0)
      ADD_FAILURE() << (built ? built->text : built.error().message);
    return program;
  }

  test::Run run(const std::vector<std::string>& argv) { return gate_->run(argv, replacements_); }

  std::optional<TemporaryFolder> folder_;
  std::optional<test::FakeGate> gate_;
  std::vector<test::Replacement> replacements_;
  std::set<fs::path> replaced_;
};

constexpr const char* kHello = R"(
#include <stdio.h>
#include <unistd.h>
int main(void) { printf("hello %d\n", getppid() > 0); return 7; })";

TEST_F(RewriteRun, StaticProgram) {
  const auto program = compile(kHello, "hello.c", {"gcc", "-O2", "-static"});
  replace(program);
  const auto result = run({program.string()});
  EXPECT_EQ(result.status, 7) << result.output;
  EXPECT_EQ(result.output, "hello 1\n");
  EXPECT_EQ(result.calls[SYS_getppid], 1u);
  EXPECT_EQ(result.calls[SYS_write], 1u);
}

TEST_F(RewriteRun, StaticPositionIndependentProgram) {
  const auto program = compile(kHello, "hello.c", {"gcc", "-O2", "-static-pie"});
  replace(program);
  const auto result = run({program.string()});
  EXPECT_EQ(result.status, 7) << result.output;
  EXPECT_EQ(result.output, "hello 1\n");
  EXPECT_EQ(result.calls[SYS_getppid], 1u);
}

TEST_F(RewriteRun, DynamicProgramWithRewrittenLoader) {
  const auto program = compile(kHello, "hello.c", {"gcc", "-O2"});
  replace_all(program);
  const auto result = run({program.string()});
  EXPECT_EQ(result.status, 7) << result.output;
  EXPECT_EQ(result.output, "hello 1\n");
  EXPECT_EQ(result.calls[SYS_getppid], 1u);
  EXPECT_GT(result.calls[SYS_mmap], 4u); // the loader's own
}

TEST_F(RewriteRun, DynamicProgramAtFixedAddress) {
  const auto program = compile(kHello, "hello.c", {"gcc", "-O2", "-no-pie"});
  replace_all(program);
  const auto result = run({program.string()});
  EXPECT_EQ(result.status, 7) << result.output;
}

TEST_F(RewriteRun, ThreadsSignalsForkAndThreadLocals) {
  const auto program = compile(R"(
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <signal.h>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>
thread_local std::string local = "fresh";
std::atomic<int> caught{0};
int main() {
  std::vector<std::thread> threads;
  std::mutex mutex; std::condition_variable ready; int waiting = 0;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&, i] {
    for (int round = 0; round < 50; ++round) {
      try { local += char('a' + i); if (round % 2) throw std::runtime_error(local); } catch (const std::exception&) {}
      std::unique_lock lock(mutex); ++waiting; ready.notify_all();
      ready.wait_for(lock, std::chrono::milliseconds(1));
    }
    if (local.size() != 55) abort();
  });
  for (auto& thread : threads) thread.join();
  struct sigaction action{}; action.sa_handler = [](int) { ++caught; }; sigaction(SIGUSR1, &action, nullptr);
  for (int i = 0; i < 10; ++i) raise(SIGUSR1);
  int pipes[2]; if (pipe(pipes)) return 1;
  const pid_t child = fork();
  if (child == 0) { usleep(2000); (void)!write(pipes[1], "x", 1); kill(getppid(), SIGUSR1); _exit(9); }
  char byte; int status; (void)!read(pipes[0], &byte, 1);
  while (waitpid(child, &status, 0) != child) {}
  std::printf("caught %d status %d byte %c\n", caught.load(), WEXITSTATUS(status), byte);
  return system("exit 3") >> 8; })",
                               "threads.cpp", {"g++", "-O2", "-std=c++20", "-pthread"});
  replace_all(program);
  replace_all("/bin/sh");
  const auto result = run({program.string()});
  EXPECT_EQ(result.status, 3) << result.output;
  EXPECT_EQ(result.output, "caught 11 status 9 byte x\n");
  EXPECT_GT(result.calls[SYS_futex], 0u);
  EXPECT_GT(result.total(), 500u);
}

TEST_F(RewriteRun, CancellationUnwindsBlockedThread) {
  const auto program = compile(R"(
#include <cstdio>
#include <pthread.h>
#include <unistd.h>
struct Noisy { const char* name; ~Noisy() { std::printf("%s gone\n", name); } };
int pipes[2];
void* body(void*) { Noisy outer{"outer"}; char c; Noisy inner{"inner"}; (void)!read(pipes[0], &c, 1); return nullptr; }
int main() {
  if (pipe(pipes)) return 1;
  pthread_t thread; pthread_create(&thread, nullptr, body, nullptr); usleep(20000);
  void* value; pthread_cancel(thread); pthread_join(thread, &value);
  return value == PTHREAD_CANCELED ? 5 : 6; })",
                               "cancel.cpp", {"g++", "-O2", "-pthread"});
  replace_all(program);
  replace("/lib/x86_64-linux-gnu/libgcc_s.so.1");
  const auto result = run({program.string()});
  EXPECT_EQ(result.status, 5) << result.output;
  EXPECT_EQ(result.output, "inner gone\nouter gone\n");
}

// A signal at every single instruction of a function that makes system calls, stubs and islands included:
// from each, the unwinder must find its way back to the function.
TEST_F(RewriteRun, UnwindsFromEveryInstruction) {
  const auto program = compile(R"guest(
#include <cstdio>
#include <signal.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unwind.h>
static volatile int good, bad, file;
__attribute__((noinline)) int outer() {
  char byte;
  asm volatile("nopl 0x44332211(%%rax)" ::: "memory");
  int sum = static_cast<int>(read(file, &byte, 1)) + getppid() + static_cast<int>(pread(file, &byte, 1, 0));
  sum += mprotect(nullptr, 0, PROT_READ);
  asm volatile("nopl 0x55332211(%%rax)" ::: "memory");
  return sum;
}
static _Unwind_Reason_Code look(_Unwind_Context* context, void* found) {
  if (_Unwind_FindEnclosingFunction(reinterpret_cast<void*>(_Unwind_GetIP(context))) == reinterpret_cast<void*>(outer))
    *static_cast<int*>(found) = 1;
  return _URC_NO_REASON;
}
static void handler(int) {
  int found = 0;
  _Unwind_Backtrace(look, &found);
  if (found) ++good; else ++bad;
}
int main() {
  struct sigaction action{};
  action.sa_handler = handler;
  sigaction(SIGUSR1, &action, nullptr);
  handler(0);
  good = bad = 0;
  outer();
  std::printf("%d good, %d bad\n", good, bad);
  return bad != 0 || good < 20;
})guest",
                               "unwind.cpp", {"g++", "-O2", "-Wl,-z,now"});
  unsigned stub_instructions = 0, island_jumps = 0;
  const auto torture = [&] {
    bool armed = false;
    std::uint64_t last = 0;
    unsigned char last_byte = 0;
    return gate_->run(
        {program.string()}, replacements_,
        [=, &stub_instructions, &island_jumps](pid_t process, const user_regs_struct& registers) mutable {
          const auto word =
              static_cast<std::uint64_t>(ptrace(PTRACE_PEEKTEXT, process, registers.rip, nullptr));
          const auto is = [&](std::uint64_t bytes, unsigned count) {
            return (word & ((1ULL << count * 8) - 1)) == bytes;
          };
          if (is(0x332211801f0f, 6)) {
            armed = (word >> 48 & 0xff) == 0x44;
            return 0;
          }
          const bool in_gate = registers.rip - test::kFakeGate < 6 * 4096;
          if (!armed || in_gate || registers.rip == last)
            return 0;
          stub_instructions += is(0x0d8d48, 3) || is(0x2524ff, 3);
          island_jumps += is(0xe9, 1) && last_byte == 0xeb;
          last = registers.rip;
          last_byte = static_cast<unsigned char>(word);
          return SIGUSR1;
        });
  };
  auto result = torture();
  EXPECT_EQ(result.status, 0) << "the test itself is wrong: " << result.output;
  EXPECT_EQ(stub_instructions, 0u);
  replace_all(program);
  result = torture();
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_GE(stub_instructions, 8u);
  EXPECT_GE(island_jumps, 1u) << "read() of this C library has no island any more; choose another call";
  std::printf("%s%u stub instructions, %u island jumps\n", result.output.c_str(), stub_instructions,
              island_jumps);
}

TEST_F(RewriteRun, DebianPrograms) {
  for (const char* path :
       {"/bin/ls", "/bin/bash", "/usr/bin/sqlite3", "/bin/sh", "/usr/bin/sort", "/bin/cat"})
    if (fs::exists(path))
      replace_all(path);
  auto result = run({"/bin/ls", "-l", "/"});
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("usr"));
  EXPECT_GT(result.total(), 20u);
  result = run({"/bin/bash", "-c", "for i in 3 1 2; do echo $i; done | sort | cat; (exit 4)"});
  EXPECT_EQ(result.status, 4) << result.output;
  EXPECT_EQ(result.output, "1\n2\n3\n");
  EXPECT_GT(result.calls[SYS_execve], 1u);
  if (!fs::exists("/usr/bin/sqlite3"))
    return;
  result = run({"/usr/bin/sqlite3", (folder_->path() / "data.db").string(),
                "create table t(n); insert into t values(40),(2); select sum(n) from t;"});
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "42\n");
}

TEST_F(RewriteRun, Python) {
  if (!fs::exists("/usr/bin/python3"))
    GTEST_SKIP() << "/usr/bin/python3 is not installed";
  replace_all("/usr/bin/python3");
  const auto result =
      run({"/usr/bin/python3", "-c",
           "import threading, subprocess, json, socket\n"
           "a, b = socket.socketpair()\n"
           "t = threading.Thread(target=lambda: a.sendall(b'ping')); t.start(); t.join()\n"
           "print(b.recv(4).decode(), subprocess.run(['true']).returncode, json.dumps([1]))"});
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "ping 0 [1]\n");
  EXPECT_GT(result.total(), 200u);
}

TEST_F(RewriteRun, Busybox) {
  if (!fs::exists("/usr/bin/busybox"))
    GTEST_SKIP() << "busybox is not installed";
  replace_all("/usr/bin/busybox");
  const auto result = run({"/usr/bin/busybox", "sh", "-c", "echo one two | busybox wc -w"});
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_EQ(result.output, "2\n");
}

TEST_F(RewriteRun, Rust) {
  if (!have("rustc"))
    GTEST_SKIP() << "rustc is not installed";
  const auto program = compile(R"(
use std::thread;
fn main() {
    let threads: Vec<_> = (0..4).map(|i| thread::spawn(move || { std::fs::read("/proc/self/stat").unwrap().len() + i })).collect();
    let sum: usize = threads.into_iter().map(|t| t.join().unwrap()).sum();
    let caught = std::panic::catch_unwind(|| { if sum_is(1) { panic!("no") } });
    println!("rust {} {}", sum > 0, caught.is_err());
}
fn sum_is(n: usize) -> bool { std::env::args().count() == n }
)",
                               "hello.rs", {"rustc", "-O"});
  replace_all(program);
  const auto result = run({program.string()});
  EXPECT_EQ(result.status, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("rust true true\n"));
  EXPECT_GT(result.calls[SYS_write], 0u);
}

constexpr const char* kGo = R"(
package main
import ("fmt"; "os"; "sync"; "time")
func main() {
	var group sync.WaitGroup
	for i := 0; i < 20; i++ { group.Add(1); go func() { defer group.Done(); os.ReadFile("/proc/self/stat"); time.Sleep(time.Millisecond) }() }
	group.Wait()
	defer func() { fmt.Println("go", recover() != nil) }()
	var nothing *int
	fmt.Println(*nothing)
})";

TEST_F(RewriteRun, Go) {
  if (!have("go"))
    GTEST_SKIP() << "go is not installed";
  for (const auto& flags :
       std::vector<std::vector<std::string>>{{}, {"-ldflags=-s -w"}, {"-buildmode=pie"}}) {
    std::vector<std::string> command{"go", "build"};
    command.insert(command.end(), flags.begin(), flags.end());
    const auto program = compile(kGo, "hello.go", command);
    replacements_.clear();
    replaced_.clear();
    if (flags.empty() || flags[0] != "-buildmode=pie")
      replace(program);
    else
      replace_all(program);
    const auto result = run({program.string()});
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(result.output, "go true\n");
    EXPECT_GT(result.total(), 20u);
  }
}

TEST_F(RewriteRun, MuslStaticAndDynamic) {
  if (!have("musl-gcc"))
    GTEST_SKIP() << "musl-gcc is not installed";
  auto program = compile(kHello, "hello.c", {"musl-gcc", "-O2", "-static"});
  replace(program);
  auto result = run({program.string()});
  EXPECT_EQ(result.status, 7) << result.output;
  EXPECT_EQ(result.calls[SYS_getppid], 1u);
  program = compile(kHello, "hello2.c", {"musl-gcc", "-O2"});
  replace(program);
  replace("/lib/ld-musl-x86_64.so.1");
  result = run({program.string()});
  EXPECT_EQ(result.status, 7) << result.output;
  EXPECT_EQ(result.output, "hello 1\n");
  EXPECT_EQ(result.calls[SYS_getppid], 1u);
}

} // namespace
