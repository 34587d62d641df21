// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/supervise.hpp"
#include "lifecycle/attach_protocol.hpp"
#include "lifecycle/events.hpp"
#include "lifecycle/log.hpp"
#include "lifecycle/machine_terminal.hpp"
#include "machine/signal_queue.hpp"
#include "support/packet_server.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"
#include "ukl/wait_status.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Phase = MachineState::Phase;

// For the pipes' ends that the machine's processes have left open.
constexpr milliseconds kLastBytes{1000};
constexpr std::size_t kMostInput = 65536;

struct Pipe {
  FileDescriptor reader, writer;
  static Result<Pipe> create() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
      return file_error("pipe", "create", errno);
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
  }
};

// Both sides of the machine's three streams.
struct Streams {
  Pipe input, output, error;

  static Result<Streams> of_pipes(bool has_input) {
    Streams streams;
    TRY_LET(streams.input, Pipe::create());
    TRY_LET(streams.output, Pipe::create());
    TRY_LET(streams.error, Pipe::create());
    if (!has_input)
      streams.input = {FileDescriptor(open("/dev/null", O_RDONLY | O_CLOEXEC)), {}};
    else
      fcntl(streams.input.writer.get(), F_SETFL, O_NONBLOCK);
    return streams;
  }

  // All three are the terminal. Without an input it has keys, and nobody types.
  static Result<Streams> of_terminal(const std::string& size) {
    TRY_LET(auto terminal, MachineTerminal::create(size));
    Streams streams;
    for (auto* end : {&streams.input.reader, &streams.output.writer, &streams.error.writer})
      *end = FileDescriptor(fcntl(terminal.slave.get(), F_DUPFD_CLOEXEC, 0));
    streams.input.writer = FileDescriptor(fcntl(terminal.master.get(), F_DUPFD_CLOEXEC, 0));
    streams.output.reader = std::move(terminal.master);
    if (!streams.input.reader || !streams.output.writer || !streams.error.writer || !streams.input.writer)
      return file_error("terminal", "copy", errno);
    return streams;
  }
};

// In the machine's process, whose terminal is not that of who started it.
void enter_terminal() {
  // A session of its own, so that nobody but the machine stops when its program does (Ctrl-Z), and its group,
  // which has no parent in the session, goes on: nobody could continue it.
  setsid();
  setenv("TERM", "xterm", 0);
}

std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text + "\n";
}

// In the machine's process: what came of it, for whoever looks after it.
int tell_end(const Result<MachineEnd>& end, int news) {
  if (end) {
    write_all(news, fmt::format("status {}\n", end->status));
    return end->status;
  }
  print_error(end.error());
  const int status = static_cast<int>(end.error().failure);
  write_all(news,
            fmt::format("failed {}\n", status) + one_line(end.error().message) + one_line(end.error().hint));
  return status;
}

class Supervisor {
public:
  Supervisor(Supervision supervision, FileDescriptor report, MachineLog log, PacketServer clients)
      : with_(std::move(supervision)), report_(std::move(report)), log_(std::move(log)),
        clients_(std::move(clients)) {
    state_.keeper = getpid();
    state_.keeper_started = process_start_time(state_.keeper);
  }

  Result<void> to_its_end() {
    while (true) {
      TRY(start());
      while (!gone_)
        wait_for_events();
      finish_streams();
      const auto delay = with_.record.stop_asked() || stop_
                             ? std::nullopt
                             : with_.restart.after(state_.status.value_or(1), lived());
      // The first start has failed: whoever asked for it is told, and may ask again.
      if (!delay || (!ever_started_ && failed_))
        break;
      tell_events("ended");
      if (!wait_to_restart(*delay))
        break;
    }
    return {};
  }

  // The last word, after which the machine is gone.
  void end() {
    state_.phase = Phase::ended;
    state_.ended = now();
    state_.qemu = 0;
    state_.log_is_incomplete = log_.is_incomplete();
    with_.record.write(state_);
    tell_events("ended");
    clients_.send_all(attach::kEnd, fmt::format("{} {}", state_.status.value_or(1), state_.sentence));
    clients_.finish();
    if (with_.record.plan().remove)
      with_.record.remove();
    tell("ended " + state_.sentence);
  }

  void fail(const Error& error) {
    state_.status = static_cast<int>(error.failure);
    state_.sentence = error.message;
    tell_failure();
  }

private:
  Result<void> start() {
    const auto& plan = with_.record.plan();
    TRY_LET(auto streams,
            plan.terminal ? Streams::of_terminal(with_.window) : Streams::of_pipes(plan.interactive));
    TRY_LET(auto news, Pipe::create());
    // One that comes while nobody queues them up waits.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    signals_.reset();
    const pid_t keeper = getpid();
    pid_ = fork();
    if (pid_ < 0)
      return file_error("the machine's process", "start", errno);
    if (pid_ == 0) {
      sigprocmask(SIG_SETMASK, &before, nullptr);
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != keeper)
        _exit(1);
      if (plan.terminal)
        enter_terminal();
      dup2(streams.input.reader.get(), STDIN_FILENO);
      dup2(streams.output.writer.get(), STDOUT_FILENO);
      dup2(streams.error.writer.get(), STDERR_FILENO);
      streams = {};
      report_ = FileDescriptor();
      const int to = news.writer.get();
      const auto end = with_.run([to](const std::string& line) { write_all(to, line + "\n"); });
      const int status = tell_end(end, to);
      [[maybe_unused]] const auto flushed = flush_output();
      _exit(status);
    }
    process_ = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
    auto signals = SignalQueue::create();
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (!signals)
      return signals.error();
    signals_.emplace(std::move(*signals));
    input_ = std::move(streams.input.writer);
    output_ = std::move(streams.output.reader);
    error_ = std::move(streams.error.reader);
    news_ = std::move(news.reader);
    gone_ = failed_ = false;
    unread_news_.clear();
    verdict_.clear();
    begun_ = Clock::now();
    state_.phase = Phase::starting;
    state_.pid = pid_;
    state_.pid_started = process_start_time(pid_);
    state_.started.reset();
    state_.status.reset();
    with_.record.write(state_);
    tell_events("starting");
    return {};
  }

  milliseconds lived() const { return std::chrono::duration_cast<milliseconds>(Clock::now() - begun_); }

  void wait_for_events() {
    enum { output, error, news, process, signals, input, clients };
    std::vector<pollfd> events = {{output_.get(), POLLIN, 0},
                                  {error_.get(), POLLIN, 0},
                                  {news_.get(), POLLIN, 0},
                                  {process_.get(), POLLIN, 0},
                                  {signals_->descriptor(), POLLIN, 0},
                                  {waiting_input_.empty() ? -1 : input_.get(), POLLOUT, 0}};
    clients_.watch(events, waiting_input_.size() < kMostInput);
    if (poll(events.data(), events.size(), -1) < 0)
      return;
    // News first: that the program runs comes before what it says.
    if (events[news].revents)
      take_news();
    if (events[output].revents)
      take_stream(output_, LogStream::output);
    if (events[error].revents)
      take_stream(error_, LogStream::error);
    if (events[signals].revents)
      for (const int signal : signals_->take())
        // A file of ours is as large as it may be: the program has nothing to do with that.
        if (signal != SIGCHLD && signal != SIGXFSZ)
          pass_on(signal);
    clients_.look(events.cbegin() + clients, [this](std::uint16_t client, char kind, std::string_view bytes) {
      take_request(client, kind, bytes);
    });
    write_input();
    if (events[process].revents)
      take_end();
  }

  // What was sent to us was meant for the machine; it ends for good by a signal that asks it to.
  void pass_on(int signal) {
    if (signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT)
      stop_ = true;
    if (pid_ > 0)
      kill(pid_, signal);
  }

  void take_request(std::uint16_t client, char kind, std::string_view bytes) {
    const auto& plan = with_.record.plan();
    if (kind == attach::kInput && input_ && plan.interactive)
      waiting_input_ += bytes;
    // A terminal stays: whoever leaves it, others may come.
    else if (kind == attach::kInputEnd && !plan.terminal)
      input_ends_ = true;
    if (kind == attach::kJoin && plan.terminal)
      clients_.send(client, attach::kOutput, line_.text());
    if ((kind == attach::kJoin || kind == attach::kWindow) && plan.terminal && input_) {
      with_.window = bytes;
      set_window_size(input_.get(), bytes);
      // Of the same size as well: what fills its window draws it again for who has joined.
      if (pid_ > 0)
        kill(pid_, SIGWINCH);
    }
    int signal = 0;
    if (kind == attach::kSignal &&
        std::from_chars(bytes.data(), bytes.data() + bytes.size(), signal).ec == std::errc() && signal > 0 &&
        signal <= SIGRTMAX)
      pass_on(signal);
  }

  void write_input() {
    while (input_ && !waiting_input_.empty()) {
      const ssize_t put = write(input_.get(), waiting_input_.data(), waiting_input_.size());
      if (put > 0)
        waiting_input_.erase(0, static_cast<std::size_t>(put));
      else if (errno == EAGAIN)
        return;
      else if (errno != EINTR)
        input_ = FileDescriptor(); // nobody reads it any more
    }
    if (!input_)
      waiting_input_.clear();
    if (input_ends_ && waiting_input_.empty())
      input_ = FileDescriptor();
  }

  // Returns whether something came.
  bool take_stream(FileDescriptor& stream, LogStream which) {
    char buffer[kLongestPacket - 1];
    const ssize_t got = read(stream.get(), buffer, sizeof buffer);
    if (got > 0) {
      const std::string_view bytes(buffer, static_cast<std::size_t>(got));
      log_.add(which, bytes, now());
      if (with_.record.plan().terminal)
        line_.add(bytes);
      clients_.send_all(which == LogStream::output ? attach::kOutput : attach::kError, bytes);
      return true;
    }
    if (got == 0 || (errno != EINTR && errno != EAGAIN))
      stream = FileDescriptor();
    return false;
  }

  void take_news() {
    char buffer[4096];
    const ssize_t got = read(news_.get(), buffer, sizeof buffer);
    if (got > 0)
      unread_news_.append(buffer, static_cast<std::size_t>(got));
    else if (got == 0)
      news_ = FileDescriptor();
    for (std::size_t end; (end = unread_news_.find('\n')) != std::string::npos;
         unread_news_.erase(0, end + 1))
      on_news(unread_news_.substr(0, end));
  }

  void on_news(const std::string& line) {
    if (failed_) {
      failure_lines_.push_back(line);
      return;
    }
    const auto space = line.find(' ');
    const auto word = line.substr(0, space);
    const auto rest = space == std::string::npos ? std::string() : line.substr(space + 1);
    if (word == "verdict") {
      verdict_ = rest;
      return;
    }
    if (word == "status" || word == "failed") {
      state_.status = std::atoi(rest.c_str());
      failed_ = word == "failed";
      failure_lines_.clear();
      return;
    }
    if (word == "qemu")
      state_.qemu = std::atoi(rest.c_str());
    if (word == "started") {
      state_.phase = Phase::running;
      state_.started = now();
      ever_started_ = true;
      tell_events("started");
    }
    with_.record.write(state_);
    tell(line);
  }

  void take_end() {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_)
      return;
    // What it said before its end.
    while (news_)
      take_news();
    pid_ = 0;
    gone_ = true;
    if (state_.status) {
      state_.sentence = !verdict_.empty()                    ? verdict_
                        : failed_ && !failure_lines_.empty() ? failure_lines_[0]
                                                             : fmt::format("Exited ({})", *state_.status);
      if (failed_)
        tell_failure();
      return;
    }
    // It was killed: by ukl kill or rm, or by somebody else.
    state_.status = exit_status(status);
    state_.sentence = with_.record.stop_asked() || stop_ ? fmt::format("Killed ({})", *state_.status)
                                                         : "Killed by the host";
  }

  void finish_streams() {
    const auto end = Clock::now() + kLastBytes;
    while (output_ || error_) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
      pollfd events[] = {{output_.get(), POLLIN, 0}, {error_.get(), POLLIN, 0}};
      if (left <= 0 || poll(events, 2, static_cast<int>(left)) <= 0)
        break;
      if (events[0].revents)
        take_stream(output_, LogStream::output);
      if (events[1].revents)
        take_stream(error_, LogStream::error);
    }
    log_.finish(now());
  }

  // False: somebody wants it to end in the meantime.
  bool wait_to_restart(milliseconds delay) {
    report_ = FileDescriptor();
    state_.phase = Phase::restarting;
    state_.pid = state_.keeper;
    state_.pid_started = state_.keeper_started;
    state_.qemu = 0;
    with_.record.write(state_);
    const auto end = Clock::now() + delay;
    while (true) {
      if (stop_ || with_.record.stop_asked())
        return false;
      const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
      if (left <= 0)
        break;
      pollfd wait = {signals_->descriptor(), POLLIN, 0};
      poll(&wait, 1, static_cast<int>(left) + 1);
      for (const int signal : signals_->take())
        pass_on(signal);
    }
    ++state_.restarts;
    return true;
  }

  void tell(const std::string& line) {
    if (report_ && write_all(report_.get(), line + "\n") != 0)
      report_ = FileDescriptor();
  }

  void tell_failure() {
    failure_lines_.resize(2);
    if (failure_lines_[0].empty())
      failure_lines_[0] = state_.sentence;
    tell(fmt::format("failed {}\n{}\n{}", *state_.status, failure_lines_[0], failure_lines_[1]));
  }

  void tell_events(const char* what) {
    add_event(with_.record.folder().parent_path(), with_.record.plan().name, what, state_);
  }

  Supervision with_;
  FileDescriptor report_;
  MachineLog log_;
  PacketServer clients_;
  std::optional<SignalQueue> signals_;
  UnfinishedLine line_; // of a terminal
  MachineState state_;
  pid_t pid_ = 0; // of the machine's process
  FileDescriptor process_, input_, output_, error_, news_;
  std::string unread_news_, verdict_, waiting_input_;
  std::vector<std::string> failure_lines_; // message and hint
  Clock::time_point begun_;
  bool gone_ = false, failed_ = false, ever_started_ = false, stop_ = false, input_ends_ = false;
};

} // namespace

void supervise(Supervision supervision, FileDescriptor report) {
  const auto folder = supervision.record.folder();
  auto log = MachineLog::open(folder, supervision.most_log);
  auto clients = PacketServer::listen(folder / attach::kSocket);
  if (!log || !clients) {
    const auto& error = log ? clients.error() : log.error();
    write_all(report.get(), fmt::format("failed {}\n", static_cast<int>(error.failure)) +
                                one_line(error.message) + one_line(error.hint));
    supervision.record.remove();
    return;
  }
  Supervisor supervisor(std::move(supervision), std::move(report), std::move(*log), std::move(*clients));
  if (const auto ran = supervisor.to_its_end(); !ran)
    supervisor.fail(ran.error());
  supervisor.end();
}

} // namespace ukl
