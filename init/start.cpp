// SPDX-License-Identifier: GPL-2.0-only
#include "start.hpp"

#include "console.hpp"
#include "ending.hpp"
#include "environment.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// What the child could not do; goes to the parent through a pipe that exec closes.
struct Failed {
  enum Step : int { user, directory, execute } step;
  int error_number;
};

struct User {
  bool given = false;
  uid_t user = 0;
  gid_t group = 0;
};

User parse_user(const std::string& text) {
  if (text.empty())
    return {};
  char* end = nullptr;
  const unsigned long user = strtoul(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != ':' || end[1] < '0' || end[1] > '9')
    fail("a user is UID:GID in numbers, not '" + text + "'");
  const unsigned long group = strtoul(end + 1, &end, 10);
  if (*end != '\0')
    fail("a user is UID:GID in numbers, not '" + text + "'");
  return {true, static_cast<uid_t>(user), static_cast<gid_t>(group)};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts)
    result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

[[noreturn]] void give_up(int pipe, Failed::Step step) {
  const Failed failed = {step, errno};
  if (write(pipe, &failed, sizeof failed) < 0)
    _exit(kInitFailed);
  _exit(kNotFound);
}

[[noreturn]] void become(const char* file, char* const* arguments, char* const* environment,
                         const std::string& directory, const User& user, int pipe) {
  setpgid(0, 0);
  // A process outside the foreground group that sets it would be stopped by SIGTTOU.
  signal(SIGTTOU, SIG_IGN);
  set_foreground(getpid());
  signal(SIGTTOU, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (user.given && (setgroups(1, &user.group) != 0 || setgid(user.group) != 0 || setuid(user.user) != 0))
    give_up(pipe, Failed::user);
  if (!directory.empty() && chdir(directory.c_str()) != 0)
    give_up(pipe, Failed::directory);
  execve(file, arguments, environment);
  give_up(pipe, Failed::execute);
}

[[noreturn]] void explain(const Failed& failed, const std::string& file, const Manifest& settings) {
  errno = failed.error_number;
  switch (failed.step) {
  case Failed::user:
    fail("cannot become user " + value_of(settings, key::user) + reason());
  case Failed::directory:
    fail("cannot use " + value_of(settings, key::directory) + " as the working directory" + reason());
  case Failed::execute:
    break;
  }
  const std::string why = reason();
  if (failed.error_number != ENOENT) {
    say("cannot execute " + file + why);
    end_machine(kNotExecutable);
  }
  // For a file that is there, ENOENT means the dynamic loader or the script's interpreter.
  if (access(file.c_str(), F_OK) == 0)
    say("cannot execute " + file + ": the interpreter or dynamic loader that it names is not in the image");
  else
    say("cannot execute " + file + why);
  end_machine(kNotFound);
}

} // namespace

pid_t start_program(const Manifest& settings, const std::vector<std::string>& arguments) {
  const User user = parse_user(value_of(settings, key::user));
  if (user.given)
    give_console_to(user.user);
  const std::string directory = value_of(settings, key::directory);
  std::vector<std::string> argument_texts = arguments, environment_texts = make_environment(settings);
  const std::string file = find_program(arguments[0], environment_texts);
  const std::vector<char*> argv = pointers(argument_texts), environment = pointers(environment_texts);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    fail("cannot make a pipe" + reason());
  const pid_t pid = fork();
  if (pid < 0)
    fail("cannot make a process" + reason());
  if (pid == 0)
    become(file.c_str(), argv.data(), environment.data(), directory, user, ends[1]);
  close(ends[1]);
  Failed failed;
  if (read(ends[0], &failed, sizeof failed) == sizeof failed)
    explain(failed, file, settings);
  close(ends[0]);
  return pid;
}

} // namespace ukl::init
