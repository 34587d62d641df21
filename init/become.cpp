// SPDX-License-Identifier: GPL-2.0-only
#include "become.hpp"

#include "ending.hpp"
#include "environment.hpp"
#include "ukl/run_settings.hpp"

#include <cerrno>
#include <csignal>
#include <grp.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// As execve takes them, which changes none of them.
std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (const auto& text : texts)
    result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

} // namespace

bool make_execution(const Manifest& settings, Execution& execution, std::string& why) {
  execution.arguments = values_of(settings, key::argument);
  execution.environment = make_environment(settings);
  execution.file = find_program(execution.arguments[0], execution.environment);
  if (auto tracer = values_of(settings, key::tracer); !tracer.empty()) {
    execution.arguments[0] = execution.file;
    execution.file = tracer[0];
    execution.arguments.insert(execution.arguments.begin(), tracer.begin(), tracer.end());
  }
  execution.directory = value_of(settings, key::directory);
  return look_up_user(settings, execution.user, why);
}

void give_up(int pipe, NotStarted::Step step) {
  const NotStarted failed = {step, errno};
  if (write(pipe, &failed, sizeof failed) < 0)
    _exit(kInitFailed);
  _exit(kNotFound);
}

void execute(const Execution& execution, int pipe) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const auto& user = execution.user;
  if (user.given && (setgroups(user.groups.size(), user.groups.data()) != 0 || setgid(user.group) != 0 ||
                     setuid(user.user) != 0))
    give_up(pipe, NotStarted::user);
  if (!execution.directory.empty() && chdir(execution.directory.c_str()) != 0)
    give_up(pipe, NotStarted::directory);
  execve(execution.file.c_str(), pointers(execution.arguments).data(),
         pointers(execution.environment).data());
  give_up(pipe, NotStarted::execute);
}

std::string explain(const NotStarted& failed, const Execution& execution, const std::string& user,
                    int& status) {
  errno = failed.error_number;
  const std::string why = reason();
  status = kInitFailed;
  switch (failed.step) {
  case NotStarted::process:
    return "cannot make a process" + why;
  case NotStarted::user:
    return "cannot become user " + user + why;
  case NotStarted::directory:
    return "cannot use " + execution.directory + " as the working directory" + why;
  case NotStarted::execute:
    break;
  }
  status = failed.error_number == ENOENT ? kNotFound : kNotExecutable;
  // For a file that is there, ENOENT means the dynamic loader or the script's interpreter.
  if (failed.error_number == ENOENT && access(execution.file.c_str(), F_OK) == 0)
    return "cannot execute " + execution.file +
           ": the interpreter or dynamic loader that it names is not in the image";
  return "cannot execute " + execution.file + why;
}

} // namespace ukl::init
