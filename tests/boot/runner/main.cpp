// SPDX-License-Identifier: GPL-2.0-only
// The boot tests' runner: `boot_tests [options] [NAME…]`. Two tests at a time; a line for each result as it
// comes; the console's tail below each failure; `N passed, N failed` at the end.
#include "console.hpp"
#include "execute.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/terminal.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <fmt/format.h>
#include <mutex>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace {

using boot::Outcome;

class Report {
public:
  void add(const boot::Test& test, const std::vector<Outcome>& outcomes) {
    const std::lock_guard lock(mutex_);
    for (const auto& outcome : outcomes) {
      const std::string name = outcome.name == test.name ? test.name : test.name + "/" + outcome.name;
      switch (outcome.kind) {
      case Outcome::Kind::passed:
        ++passed_;
        fmt::print("PASS {} ({})\n", name, outcome.detail);
        break;
      case Outcome::Kind::skipped:
        ++skipped_;
        fmt::print("SKIP {}: {}\n", name, outcome.detail);
        break;
      case Outcome::Kind::failed:
        ++failed_;
        failures_.push_back(name);
        fmt::print("FAIL {}: {}\n", name, outcome.detail);
        if (!outcome.log.empty())
          fmt::print("{}", outcome.log.starts_with("    | ") ? outcome.log : boot::tail(outcome.log, 40));
        break;
      }
    }
    std::fflush(stdout);
  }

  int finish() {
    // We are the reaper of all our descendants, so a process that a test left behind is a child of ours now.
    bool left = true;
    for (int tries = 0; left && tries < 100; ++tries) { // QEMU takes a moment to die
      while (waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      siginfo_t info{};
      left = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
      if (left)
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (left) {
      ++failed_;
      failures_.push_back("a test left a process behind");
    }
    if (!failures_.empty()) {
      fmt::print("\nfailed:\n");
      for (const auto& name : failures_)
        fmt::print("  {}\n", name);
    }
    fmt::print("\n{} passed, {} failed", passed_, failed_);
    if (skipped_ > 0)
      fmt::print(", {} skipped", skipped_);
    fmt::print("\n");
    return failed_ == 0 && passed_ > 0 ? 0 : 1;
  }

private:
  std::mutex mutex_;
  int passed_ = 0, failed_ = 0, skipped_ = 0;
  std::vector<std::string> failures_;
};

// By its own name; or, of a file that is named, those that a run of everything would take.
bool wanted(const boot::Test& test, const boot::Settings& settings, const std::vector<std::string>& names) {
  const bool usual = settings.long_run ? !test.only_short : !test.only_long;
  if (names.empty())
    return usual;
  return std::any_of(names.begin(), names.end(), [&](const auto& name) {
    return name == test.name || (usual && (name == test.file || name + ".boot" == test.file));
  });
}

// Machines that run by themselves outlive a test that was stopped in the middle; they do not outlive us, to
// whom they were left (PR_SET_CHILD_SUBREAPER).
void end_orphans() {
  for (int round = 0; round < 100; ++round) {
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const auto children = ukl::read_text(fmt::format("/proc/self/task/{}/children", getpid()));
    if (!children || children->empty())
      return;
    std::istringstream numbers(*children);
    for (pid_t child; numbers >> child;)
      kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Boots the images that tests/boot describes and checks what they do");
  boot::Settings settings;
  settings.ukl = UKL_TOOL;
  settings.source = UKL_BOOT_SOURCE;
  settings.build = UKL_BOOT_BUILD;
  std::vector<std::string> names;
  unsigned jobs = 2;
  bool list = false;
  app.add_option("names", names, "Tests or .boot files to run; default: all");
  app.add_option("--ukl", settings.ukl, "The tool under test")->capture_default_str();
  app.add_option("--build", settings.build, "Folder for programs, images and logs")->capture_default_str();
  app.add_option("--kernel", settings.kernel, "Boot this vmlinux in place of the profile's own");
  app.add_option("--profile", settings.profile, "Run every test under this profile");
  app.add_option("--jobs,-j", jobs, "Tests at a time")->check(CLI::Range(1u, 8u))->capture_default_str();
  app.add_flag("--long", settings.long_run, "The long runs too (stress for ten minutes)");
  app.add_flag("--only-make", settings.only_make,
               "Make the images (in --build, NAME/image.ukl) and boot none");
  app.add_flag("--list", list, "Only name the tests");
  CLI11_PARSE(app, argc, argv);
  if (!settings.profile.empty())
    settings.kernel_profile = settings.profile;
  settings.ukl = std::filesystem::absolute(settings.ukl);
  settings.build = std::filesystem::absolute(settings.build);

  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(settings.source))
    if (entry.path().extension() == ".boot")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<boot::Test> tests;
  for (const auto& file : files) {
    auto read = boot::read_tests(file);
    if (!read) {
      ukl::print_error(read.error());
      return static_cast<int>(read.error().failure);
    }
    for (auto& test : *read)
      if (wanted(test, settings, names))
        tests.push_back(std::move(test));
  }
  if (tests.empty()) {
    fmt::print(stderr, "boot_tests: no test has such a name; --list names them\n");
    return 2;
  }
  if (list) {
    for (const auto& test : tests)
      fmt::print("{}\t{}\n", test.name, test.file);
    return 0;
  }

  // The longest first, so that the two workers end together.
  std::stable_sort(tests.begin(), tests.end(),
                   [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  // A script's background job ignores them, and so would every program that it boots.
  for (const int signal : {SIGINT, SIGQUIT})
    ::signal(signal, SIG_DFL);
  ukl::catch_interrupts();
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  Report report;
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> workers;
  for (unsigned worker = 0; worker < jobs; ++worker)
    workers.emplace_back([&] {
      for (std::size_t mine; (mine = next++) < tests.size() && !ukl::interrupted();)
        report.add(tests[mine], boot::execute(tests[mine], settings));
    });
  for (auto& worker : workers)
    worker.join();
  end_orphans();
  const int status = report.finish();
  return ukl::interrupted() ? 130 : status;
}
