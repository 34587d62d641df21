// SPDX-License-Identifier: GPL-2.0-only
// Runs a list of programs one after another in one boot and reports each on a line of its own:
//   [check] NAME ok 120 ms      [check] NAME failed: exit status 1      [check] NAME skipped: reason
// The list (first argument, else /checks/list) has lines `NAME SECONDS FOLDER PROGRAM ARGUMENT…`. Exit status
// 4 means skipped, with the program's last line of output as the reason (what Linux's self-tests do). A
// program's output is shown only if it fails; its whole process group is killed at its end, so that none
// disturbs the next.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Check {
  std::string name, folder;
  int seconds;
  std::vector<std::string> command;
};

std::vector<Check> read_list(const char* path) {
  std::vector<Check> checks;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Check check;
    if (!(words >> check.name >> check.seconds >> check.folder))
      continue;
    for (std::string word; words >> word;)
      check.command.push_back(word);
    checks.push_back(check);
  }
  return checks;
}

[[noreturn]] void become(const Check& check, int output) {
  setpgid(0, 0);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, 0);
  dup2(output, 1);
  dup2(output, 2);
  std::vector<char*> arguments;
  for (const auto& word : check.command)
    arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  if (chdir(check.folder.c_str()) == 0)
    execv(arguments[0], arguments.data());
  dprintf(2, "cannot start %s in %s: %s\n", arguments[0], check.folder.c_str(), strerror(errno));
  _exit(127);
}

// A terminal rather than a pipe, so that a program's last words before a crash are not lost in its buffers.
bool open_channel(int (&ends)[2]) {
  ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (ends[0] < 0 || grantpt(ends[0]) != 0 || unlockpt(ends[0]) != 0)
    return false;
  ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY | O_CLOEXEC);
  termios mode{};
  if (ends[1] < 0 || tcgetattr(ends[1], &mode) != 0)
    return false;
  cfmakeraw(&mode);
  return tcsetattr(ends[1], TCSANOW, &mode) == 0;
}

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of('\n');
  if (end == std::string::npos)
    return "";
  const auto start = text.rfind('\n', end);
  return text.substr(start == std::string::npos ? 0 : start + 1,
                     end - (start == std::string::npos ? -1 : start));
}

bool run(const Check& check) {
  printf("[check] %s starts\n", check.name.c_str());
  fflush(stdout);
  int ends[2];
  if (!open_channel(ends))
    return false;
  const auto start = Clock::now();
  const pid_t child = fork();
  if (child == 0)
    become(check, ends[1]);
  std::string output;
  int status = -1;
  bool timed_out = false, ended = child < 0;
  // Waits for the program itself: a process that it leaves behind may keep the pipe open.
  while (!ended) {
    pollfd wait{ends[0], POLLIN, 0};
    poll(&wait, 1, 10);
    char buffer[4096];
    for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
      output.append(buffer, static_cast<std::size_t>(got));
    if (output.size() > 1 << 20)
      output.erase(0, output.size() - (1 << 19));
    ended = waitpid(child, &status, WNOHANG) == child;
    if (!ended && Clock::now() - start > std::chrono::seconds(check.seconds)) {
      timed_out = true;
      kill(-child, SIGKILL);
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      ended = true;
    }
  }
  kill(-child, SIGKILL);
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof buffer)) > 0;)
    output.append(buffer, static_cast<std::size_t>(got));
  close(ends[0]);
  close(ends[1]);
  while (waitpid(-1, nullptr, WNOHANG) > 0) {
  }
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start).count();
  const char* name = check.name.c_str();
  if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    printf("[check] %s ok %lld ms\n", name, static_cast<long long>(milliseconds));
    return true;
  }
  if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 4) {
    printf("[check] %s skipped: %s\n", name, last_line(output).c_str());
    return true;
  }
  if (output.size() > 3000)
    output = "…" + output.substr(output.size() - 3000);
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);)
    printf("  | %s\n", line.c_str());
  if (timed_out)
    printf("[check] %s failed: still running after %d s\n", name, check.seconds);
  else if (WIFEXITED(status))
    printf("[check] %s failed: exit status %d\n", name, WEXITSTATUS(status));
  else
    printf("[check] %s failed: killed by signal %d (%s)\n", name, WTERMSIG(status),
           strsignal(WTERMSIG(status)));
  return false;
}

} // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto checks = read_list(argc > 1 ? argv[1] : "/checks/list");
  int failed = checks.empty();
  for (const auto& check : checks)
    failed += !run(check);
  printf("[check] end: %zu programs, %d failed\n", checks.size(), failed);
  return failed ? 1 : 0;
}
