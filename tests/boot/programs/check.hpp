// SPDX-License-Identifier: GPL-2.0-only
// Assertions for the guest programs. A failed one says where it stands, what was wanted and what was found,
// and ends the process with status 1 at once (also in a thread, in a signal handler, in a forked child).
#pragma once

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace check {

[[noreturn, gnu::format(printf, 3, 4)]] inline void fail(const char* file, int line, const char* format,
                                                         ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  dprintf(2, "%s:%d: %s\n", file, line, text);
  _exit(1);
}

/// Monotonic time in seconds.
inline double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

inline void sleep_ms(long milliseconds) {
  timespec left{milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

/// Runs `body` in a forked child, which ends with status 0 unless `body` decides otherwise. Returns the wait
/// status.
template <typename Body> int in_child(Body&& body) {
  fflush(nullptr);
  const pid_t child = fork();
  if (child < 0)
    fail(__FILE__, __LINE__, "fork: %s", strerror(errno));
  if (child == 0) {
    body();
    fflush(nullptr);
    _exit(0);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR)
      fail(__FILE__, __LINE__, "waitpid: %s", strerror(errno));
  return status;
}

/// A wait status in words.
inline std::string describe(int status) {
  if (WIFEXITED(status))
    return "exit status " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status))
    return std::string("killed by signal ") + std::to_string(WTERMSIG(status));
  return "wait status " + std::to_string(status);
}

} // namespace check

#define REQUIRE(condition)                                                                                   \
  do {                                                                                                       \
    errno = 0;                                                                                               \
    if (!(condition))                                                                                        \
      check::fail(__FILE__, __LINE__, "not true: %s (errno %d)", #condition, errno);                         \
  } while (0)

#define REQUIRE_EQ(actual, wanted)                                                                           \
  do {                                                                                                       \
    const auto check_actual = (long long)(actual);                                                           \
    const auto check_wanted = (long long)(wanted);                                                           \
    if (check_actual != check_wanted)                                                                        \
      check::fail(__FILE__, __LINE__, "%s is %lld (0x%llx), wanted %lld (0x%llx)", #actual, check_actual,    \
                  static_cast<unsigned long long>(check_actual), check_wanted,                               \
                  static_cast<unsigned long long>(check_wanted));                                            \
  } while (0)

/// The call must return 0 or more.
#define REQUIRE_OK(call)                                                                                     \
  do {                                                                                                       \
    errno = 0;                                                                                               \
    const auto check_result = (long long)(call);                                                             \
    if (check_result < 0)                                                                                    \
      check::fail(__FILE__, __LINE__, "%s returned %lld (errno %d: %s)", #call, check_result, errno,         \
                  strerror(errno));                                                                          \
  } while (0)

/// The call must fail with -1 and this errno.
#define REQUIRE_ERRNO(call, wanted)                                                                          \
  do {                                                                                                       \
    errno = 0;                                                                                               \
    const auto check_result = (long long)(call);                                                             \
    if (check_result != -1 || errno != (wanted))                                                             \
      check::fail(__FILE__, __LINE__, "%s returned %lld (errno %d), wanted -1 (errno %d)", #call,            \
                  check_result, errno, wanted);                                                              \
  } while (0)

/// A child's wait status must be a plain exit with this status.
#define REQUIRE_EXIT(wait_status, wanted)                                                                    \
  do {                                                                                                       \
    const int check_status = (wait_status);                                                                  \
    if (!WIFEXITED(check_status) || WEXITSTATUS(check_status) != (wanted))                                   \
      check::fail(__FILE__, __LINE__, "child: %s, wanted exit status %d",                                    \
                  check::describe(check_status).c_str(), wanted);                                            \
  } while (0)

/// A child must have been killed by this signal.
#define REQUIRE_KILLED(wait_status, wanted)                                                                  \
  do {                                                                                                       \
    const int check_status = (wait_status);                                                                  \
    if (!WIFSIGNALED(check_status) || WTERMSIG(check_status) != (wanted))                                    \
      check::fail(__FILE__, __LINE__, "child: %s, wanted: killed by signal %d",                              \
                  check::describe(check_status).c_str(), wanted);                                            \
  } while (0)
