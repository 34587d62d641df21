// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/launch.hpp"
#include "lifecycle/bounded_file.hpp"
#include "lifecycle/events.hpp"
#include "lifecycle/log.hpp"
#include "support/interrupt.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Between two requests to a program that listens and does not answer as it should.
constexpr milliseconds kAskAgain{100};

constexpr milliseconds kEnd{10000};

// In the new process: nothing of it holds on to where it was started.
void leave_terminal(const std::string& name) {
  setsid();
  const FileDescriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    dup2(null.get(), standard);
  prctl(PR_SET_NAME, ("ukl:" + name).c_str());
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT})
    ::signal(signal, SIG_DFL);
}

// What the machine's keeper reports, until it is ready.
class Wait {
public:
  Wait(std::filesystem::path folder, std::string name, const Readiness& readiness, FileDescriptor report)
      : folder_(std::move(folder)), name_(std::move(name)), readiness_(readiness), report_(std::move(report)),
        log_(folder_ / "log") {}

  Result<void> until_ready() {
    const FileDescriptor changes(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (readiness_.kind == Readiness::Kind::log)
      inotify_add_watch(changes.get(), folder_.c_str(), IN_MODIFY | IN_CREATE);
    const auto end = Clock::now() + readiness_.most;
    while (!ready_) {
      auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
      // Booting alone has no limit of its own.
      if (readiness_.kind != Readiness::Kind::started && left.count() <= 0)
        return Error{Failure::not_ready,
                     fmt::format("{} was not ready within {:g} s ({}) and was stopped", name_,
                                 std::chrono::duration<double>(readiness_.most).count(), readiness_.text),
                     fmt::format("see what it said: ukl logs {}; a longer time: --wait-ready {},120", name_,
                                 readiness_.text.substr(0, readiness_.text.rfind(',')))};
      if (listening_ && readiness_.kind == Readiness::Kind::http)
        left = std::min(left, kAskAgain);
      pollfd wait[] = {
          {report_.get(), POLLIN, 0}, {changes.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
      poll(wait, 3, readiness_.kind == Readiness::Kind::started ? -1 : static_cast<int>(left.count()) + 1);
      if (interrupted())
        return Error{Failure::interrupted, fmt::format("interrupted: {} was stopped", name_), ""};
      char drained[4096];
      while (read(changes.get(), drained, sizeof drained) > 0) {
      }
      if (wait[0].revents)
        TRY(take_report());
      look();
    }
    return {};
  }

private:
  void look() {
    if (readiness_.kind == Readiness::Kind::log)
      log_.more([this](std::string_view line) {
        const auto entry = parse_log_entry(line);
        ready_ =
            ready_ || (entry && std::regex_search(entry->text.begin(), entry->text.end(), readiness_.line));
      });
    if (readiness_.kind == Readiness::Kind::http && listening_ && !ready_)
      ready_ = answers_http(readiness_);
  }

  Result<void> take_report() {
    char buffer[4096];
    const ssize_t got = read(report_.get(), buffer, sizeof buffer);
    if (got > 0)
      unread_.append(buffer, static_cast<std::size_t>(got));
    if (got == 0)
      return ended("its process has ended");
    // One that was ready may have ended since: that is another matter.
    for (std::size_t end; !ready_ && (end = unread_.find('\n')) != std::string::npos;
         unread_.erase(0, end + 1))
      TRY(on_line(unread_.substr(0, end)));
    return {};
  }

  Result<void> on_line(const std::string& line) {
    if (failure_) {
      // Message and hint follow.
      if (!std::exchange(message_came_, true)) {
        failure_->message = line;
        return {};
      }
      failure_->hint = line;
      return *failure_;
    }
    if (line.starts_with("failed "))
      failure_ = Error{static_cast<Failure>(std::atoi(line.c_str() + 7)), "", ""};
    if (line.starts_with("ended "))
      return ended(line.substr(6));
    ready_ = ready_ || (readiness_.kind == Readiness::Kind::started && line == "started");
    if (line == fmt::format("listening {}", readiness_.port)) {
      listening_ = true;
      ready_ = ready_ || readiness_.kind == Readiness::Kind::tcp;
    }
    return {};
  }

  Error ended(const std::string& sentence) const {
    return {Failure::not_ready, fmt::format("{} ended before it was ready: {}", name_, sentence),
            fmt::format("see what it said: ukl logs {}", name_)};
  }

  std::filesystem::path folder_;
  std::string name_;
  const Readiness& readiness_;
  FileDescriptor report_;
  BoundedFileReader log_;
  std::string unread_;
  std::optional<Error> failure_;
  bool message_came_ = false, listening_ = false, ready_ = false;
};

void stop(const std::filesystem::path& folder, const std::string& name) {
  clear_interrupt();
  const auto machine = known_machine(folder.parent_path(), name);
  if (!machine)
    return;
  [[maybe_unused]] const auto asked = ask_to_stop(*machine);
  send_signal(*machine, SIGTERM);
  if (!wait_for_end(*machine, kEnd))
    kill_machine(*machine);
}

} // namespace

Result<void> launch(Supervision supervision, const Readiness& readiness) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return file_error("pipe", "create", errno);
  FileDescriptor reader(ends[0]), writer(ends[1]);
  const auto folder = supervision.record.folder();
  const auto name = supervision.record.plan().name;
  add_event(folder.parent_path(), name, "created");
  const pid_t pid = fork();
  if (pid < 0) {
    supervision.record.remove();
    return file_error("a process", "start", errno);
  }
  if (pid == 0) {
    reader = FileDescriptor();
    leave_terminal(name);
    supervise(std::move(supervision), std::move(writer));
    _exit(0);
  }
  writer = FileDescriptor();
  { const auto the_keeper_has_its_own = std::move(supervision); }
  catch_interrupts();
  auto ready = Wait(folder, name, readiness, std::move(reader)).until_ready();
  if (!ready) {
    stop(folder, name);
    return ready;
  }
  if (readiness.kind != Readiness::Kind::started)
    add_event(folder.parent_path(), name, "ready");
  return {};
}

} // namespace ukl
