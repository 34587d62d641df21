// SPDX-License-Identifier: GPL-2.0-only
#include "machine/running_machine.hpp"

#include "machine/console_tail.hpp"
#include "machine/exec_sessions.hpp"
#include "machine/listening_sockets.hpp"
#include "machine/qemu_monitor.hpp"
#include "machine/raw_terminal.hpp"
#include "machine/supervisor.hpp"
#include "machine/timers.hpp"
#include "machine/user_network.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>
#include <vector>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMostErrors = 65536;

// How long a machine that is stopped may take for the bytes that it had already written.
constexpr milliseconds kLastBytes{1000};

// Which of several processes that end together ends first says nothing.
constexpr milliseconds kOwnEnd{300};

// Until QEMU has all its sockets, in milliseconds.
constexpr int kPortLook = 1;

milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

class Run {
public:
  Run(const MachineOptions& options, const HostStreams& host, RunningMachine machine, const MachineNews& news)
      : options_(options), news_(news), channels_(std::move(machine.channels)),
        streams_(std::move(machine.streams)), process_(std::move(machine.process)),
        signals_(std::move(machine.signals)), start_(machine.start),
        supervisor_({}, options.timeout ? std::optional(start_ + *options.timeout) : std::nullopt),
        ports_(std::move(machine.ports)), clock_(std::move(machine.clock)), folders_(machine.folders),
        cards_(machine.cards), warm_(std::move(machine.warm)), address_(std::move(machine.address)),
        terminal_(host.terminal()), keys_(host.input == StreamKind::terminal ? STDIN_FILENO : -1),
        messages_on_terminal_(host.error == StreamKind::terminal) {
    if (terminal_ >= 0)
      window_ = window_size(terminal_, ' ');
    take_terminal();
    // What a machine that goes on says before it has this run's settings is not for this run's clients.
    if (goes_on())
      ports_.keep_clients();
    else
      ask_for_listeners();
    talk_to_monitor();
    if (channels_.exec && !options.folder.empty())
      exec_.emplace(options.folder, std::move(channels_.exec));
    tell(fmt::format("qemu {}", process_.pid()));
  }

  Result<MachineEnd> to_its_end() {
    // The console's end is the machine's: QEMU holds its other side until it exits.
    while (channels_.console || !streams_.all_written()) {
      const auto stop = supervisor_.must_stop(Clock::now());
      if (stop != MachineSupervisor::Stop::no)
        return stopped(stop);
      if (reader_stalls(Clock::now()))
        return given_up();
      if (warm_.kept())
        return kept();
      if (const auto why = warm_.error(); !why.empty()) {
        stop_qemu();
        return Error{Failure::machine,
                     fmt::format("QEMU cannot keep {}, or let it go on: {}", options_.image.string(), why),
                     "make it again: ukl snapshot"};
      }
      // At the machine's own end the daemons end as well.
      auto lost = folders_.look();
      if (!lost)
        lost = cards_.look();
      if (lost && channels_.console && !process_.wait_for(kOwnEnd)) {
        stop_qemu();
        take_last_bytes();
        return *lost;
      }
      wait_for_events();
    }
    give_terminal_back();
    return finished();
  }

private:
  bool goes_on() const { return options_.warm.use == MachineOptions::Warm::Use::go_on; }

  void ask_for_listeners() {
    for (const auto port : ports_.awaited())
      supervisor_.send(fmt::format("await {}", port));
    for (const auto port : options_.awaited)
      supervisor_.send(fmt::format("await {}", port));
  }

  void take_terminal() {
    if (background_)
      return;
    keys_.enter();
    streams_.set_raw(keys_.active() && messages_on_terminal_);
    streams_.set_interrupt_key(keys_.interrupt_key());
  }

  void give_terminal_back() {
    keys_.leave();
    streams_.set_raw(false);
  }

  void tell(const std::string& news) const {
    if (news_)
      news_(news);
  }

  // A program that a signal has ended leaves a reader that does not read, as it would on this machine.
  bool reader_stalls(Clock::time_point now) {
    if (!supervisor_.status_when_asked_to_end())
      return false;
    if (const auto written = streams_.written(); !stalls_at_ || written != written_) {
      written_ = written;
      stalls_at_ = now + kLastBytes;
    }
    return now >= *stalls_at_;
  }

  int time_to_wait() const {
    auto next = supervisor_.next_deadline();
    if (stalls_at_ && (!next || *stalls_at_ < *next))
      next = stalls_at_;
    if (const auto ask = network_.next_time(); ask && (!next || *ask < *next))
      next = ask;
    if (const auto refuse = ports_.next_time(); refuse && (!next || *refuse < *next))
      next = refuse;
    if (const auto look = warm_.next_time(); look && (!next || *look < *next))
      next = look;
    if (looks_for_ports())
      return kPortLook;
    if (!next)
      return -1;
    const auto left = std::chrono::duration_cast<milliseconds>(*next - Clock::now()).count() + 1;
    return static_cast<int>(std::clamp<long long>(left, 0, 60000));
  }

  bool looks_for_ports() const { return !greeted_ && channels_.monitor && ports_.has_untaken(); }

  void wait_for_events() {
    enum { console, errors, control, monitor, signals, pumps, clock, count };
    std::vector<pollfd> events(count);
    events[console] = {channels_.console.get(), POLLIN, 0};
    events[errors] = {channels_.errors.get(), POLLIN, 0};
    events[control] = {channels_.control.get(),
                       static_cast<short>(channels_.control_waits() ? POLLIN | POLLOUT : POLLIN), 0};
    events[monitor] = {channels_.monitor.get(), POLLIN, 0};
    events[signals] = {signals_.descriptor(), POLLIN, 0};
    events[pumps] = {streams_.wake(), POLLIN, 0};
    events[clock] = {clock_.descriptor(), POLLIN, 0};
    for (const int daemon : folders_.watched())
      events.push_back({daemon, POLLIN, 0});
    for (const int daemon : cards_.watched())
      events.push_back({daemon, POLLIN, 0});
    const auto exec = static_cast<std::ptrdiff_t>(events.size());
    if (exec_)
      exec_->watch(events);
    if (poll(events.data(), events.size(), time_to_wait()) < 0)
      return; // EINTR: look again
    if (looks_for_ports())
      ports_.take_clients(process_.pid());
    if (events[pumps].revents)
      take_wake();
    if (exec_)
      exec_->look(events.cbegin() + exec);
    // Before the signals: whether the program runs decides what becomes of them.
    if (events[control].revents & ~POLLOUT)
      take_control();
    if (events[signals].revents)
      for (const int signal : signals_.take())
        take_signal(signal);
    if (events[clock].revents) {
      clock_.rearm();
      supervisor_.send("clock");
    }
    if (events[monitor].revents)
      take_monitor();
    if (const auto refuse = ports_.next_time(); refuse && Clock::now() >= *refuse)
      ports_.refuse_clients(monitor_);
    warm_.look(monitor_, supervisor_, streams_.written(), Clock::now());
    talk_to_monitor();
    if (events[errors].revents)
      take_errors();
    if (events[console].revents)
      take_console();
    streams_.pass_ends(supervisor_);
    if (supervisor_.sent())
      answer_when_all_is_here();
    channels_.send_control(supervisor_.take_message());
  }

  template <typename Sink> void take(FileDescriptor& descriptor, Sink sink) {
    char buffer[65536];
    const ssize_t got = read(descriptor.get(), buffer, sizeof buffer);
    if (got > 0)
      sink(std::string_view(buffer, static_cast<std::size_t>(got)));
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
      descriptor = FileDescriptor();
  }

  void take_monitor() {
    take(channels_.monitor, [this](std::string_view bytes) { monitor_.on_reply(bytes); });
    network_.look(monitor_, Clock::now());
    if (monitor_.take_resumed())
      supervisor_.send("clock");
    // QEMU has made all its sockets when it greets, if not before.
    if (monitor_.take_greeting()) {
      greeted_ = true;
      ports_.take_clients(process_.pid());
      warm_.on_greeting(monitor_);
    }
    bool opened = false;
    for (const auto& wrong : ports_.take_answers(monitor_, opened))
      streams_.note(wrong);
    if (opened)
      widen_listen_backlogs(process_.pid());
  }

  void talk_to_monitor() {
    if (!channels_.monitor)
      return;
    const auto request = monitor_.take_request();
    if (!request.empty() && write(channels_.monitor.get(), request.data(), request.size()) < 0)
      channels_.monitor = FileDescriptor();
  }

  void take_signal(int signal) {
    if (signal == SIGCHLD) {
      // After a pause of QEMU's, the guest's clock is behind.
      if (process_.take_continued())
        supervisor_.send("clock");
      return;
    }
    if (signal == SIGCONT)
      take_terminal();
    if (signal == SIGWINCH && terminal_ >= 0) {
      // Linux tells the program itself if the size is another one.
      const auto size = window_size(terminal_, ' ');
      if (size != std::exchange(window_, size)) {
        supervisor_.send("window " + size);
        return;
      }
    }
    const auto& ignored = signals_.ignored();
    supervisor_.on_signal(signal, Clock::now(), std::ranges::find(ignored, signal) != ignored.end());
  }

  void take_wake() {
    streams_.drain();
    if (streams_.stop_typed())
      supervisor_.stop_by_hand();
    if (streams_.line_seen())
      warm_.on_line(supervisor_);
    if (!streams_.input_ended())
      take_terminal(); // we may have come into the foreground
    const bool any = streams_.any_output();
    if (any && end_.first_byte == milliseconds())
      end_.first_byte = since(start_);
    if (any && !first_output_)
      first_output_ = Clock::now();
  }

  void take_control() {
    take(channels_.control, [this](std::string_view bytes) {
      supervisor_.on_control(bytes, Clock::now());
      if (supervisor_.started() && end_.started == milliseconds()) {
        end_.started = since(start_);
        tell("started");
        streams_.set_started();
        ports_.on_start(Clock::now());
        warm_.on_start(supervisor_);
        if (goes_on())
          ask_for_listeners();
      }
    });
    if (supervisor_.take_time_question())
      supervisor_.send(clock_line());
    for (const auto port : supervisor_.take_listening()) {
      for (const auto& wrong : ports_.open(port, address_, monitor_))
        streams_.note(wrong);
      tell(fmt::format("listening {}", port));
      warm_.on_listening(port, supervisor_);
    }
    talk_to_monitor();
    if (const int signal = supervisor_.take_stopped(); signal != 0)
      stop_too(signal);
    if (const auto names = supervisor_.take_background(); !names.empty()) {
      background_ = true;
      give_terminal_back();
      streams_.note(fmt::format(
          "the program has ended and left processes in the background ({}): the machine runs until "
          "they end, or Ctrl-C; to see their status, start the program in the foreground",
          names));
    }
  }

  // The program was stopped, by Ctrl-Z or SIGTSTP: whoever started us gets the terminal, and we go on with
  // the program when it lets us.
  void stop_too(int signal) {
    if (signal != SIGTSTP && signal != SIGSTOP)
      return;
    const bool typed = keys_.active();
    give_terminal_back();
    SignalQueue::stop_like_others(typed);
    bool continued = false;
    for (const int arrived : signals_.take()) {
      continued = continued || arrived == SIGCONT;
      take_signal(arrived);
    }
    take_terminal();
    if (!continued)
      supervisor_.pass_on(SIGCONT, Clock::now());
  }

  void take_errors() {
    take(channels_.errors, [this](std::string_view bytes) {
      errors_ += bytes;
      if (errors_.size() > kMostErrors)
        errors_.erase(0, errors_.size() - kMostErrors);
    });
  }

  void take_console() {
    take(channels_.console, [this](std::string_view bytes) {
      if (end_.first_byte == milliseconds())
        end_.first_byte = since(start_);
      tail_.add(bytes);
      streams_.show(bytes);
    });
    if (channels_.console)
      return;
    supervisor_.on_machine_end();
    streams_.source_ended();
  }

  void answer_when_all_is_here() {
    if (!streams_.all_came(supervisor_))
      return;
    if (channels_.monitor) {
      network_.ask(monitor_, Clock::now());
      talk_to_monitor();
      if (channels_.monitor && !network_.done())
        return;
    }
    if (answered_)
      return;
    answered_ = true;
    if (network_.given_up() > 0)
      streams_.note(fmt::format("a client did not take the last {} bytes for 10 s: they are lost",
                                network_.given_up()));
    supervisor_.send("received");
  }

  // Reads what the machine has already written, so that nothing that the program said is lost; but a reader
  // that does not read is not waited for.
  void take_last_bytes(bool (ProgramStreams::*done)() const = &ProgramStreams::all_written) {
    const auto end = Clock::now() + kLastBytes;
    while ((channels_.console || !(streams_.*done)()) && Clock::now() < end) {
      pollfd events[] = {{channels_.console.get(), POLLIN, 0}, {streams_.wake(), POLLIN, 0}};
      poll(events, 2, 20);
      if (events[1].revents)
        streams_.drain();
      if (events[0].revents)
        take_console();
    }
  }

  Result<MachineEnd> given_up() {
    streams_.note(
        "nobody took the program's last output for a second after a signal had ended it: the rest is lost");
    stop_qemu();
    take_last_bytes(&ProgramStreams::messages_written);
    return ended_with(*supervisor_.status_when_asked_to_end());
  }

  void stop_qemu() {
    // SIGTERM lets QEMU write what its disks still hold.
    process_.signal(SIGTERM);
    if (!process_.wait_for(milliseconds(1000)))
      process_.signal(SIGKILL);
    process_.wait();
    give_terminal_back();
  }

  // Its memory is in its file, and QEMU has nothing more to do.
  Result<MachineEnd> kept() {
    stop_qemu();
    take_last_bytes();
    return ended_with(0);
  }

  Result<MachineEnd> stopped(MachineSupervisor::Stop stop) {
    stop_qemu();
    auto end = verdict(stop);
    take_last_bytes();
    return end;
  }

  Result<MachineEnd> verdict(MachineSupervisor::Stop stop) {
    switch (stop) {
    case MachineSupervisor::Stop::timed_out:
      streams_.note(fmt::format("stopped {} after {} s", options_.image.string(),
                                std::chrono::duration<double>(*options_.timeout).count()));
      tell(fmt::format("verdict Stopped after its {} s",
                       std::chrono::duration<double>(*options_.timeout).count()));
      return ended_with(kTimedOut);
    case MachineSupervisor::Stop::unanswered:
      streams_.note(fmt::format("stopped {}: its init did not answer", options_.image.string()));
      return ended_with(128 + supervisor_.last_signal());
    case MachineSupervisor::Stop::interrupted:
      return ended_with(128 + (supervisor_.last_signal() ? supervisor_.last_signal() : SIGINT));
    case MachineSupervisor::Stop::flooded:
      return Error{Failure::machine,
                   fmt::format("stopped {}: it floods the control port", options_.image.string()),
                   "no init of ukl does that: something in the machine has taken the port over"};
    default:
      return finished();
    }
  }

  Result<MachineEnd> ended_with(int status) {
    end_.status = status;
    end_.calls = supervisor_.calls();
    end_.missing = supervisor_.missing();
    end_.total = since(start_);
    if (options_.times != MachineOptions::Times::none)
      end_.times = BootRecord{process_beginning(), start_,
                              first_output_,       supervisor_.ended_at(),
                              Clock::now(),        supervisor_.times_came(),
                              supervisor_.times(), counter_kilohertz()};
    return end_;
  }

  Result<MachineEnd> finished() {
    if (!process_.wait_for(milliseconds(5000)))
      process_.signal(SIGKILL);
    const int qemu = process_.wait();
    if (channels_.control)
      take_control();
    if (channels_.monitor)
      take(channels_.monitor, [this](std::string_view bytes) { monitor_.on_reply(bytes); });
    if (channels_.errors)
      take_errors();
    if (supervisor_.status())
      return finished_with(*supervisor_.status());
    if (errors_.find("Could not set up host forwarding rule") != std::string::npos)
      return Error{Failure::port_in_use, "a forwarded port was taken in the moment before QEMU started",
                   "try again, or take another host port"};
    if (const auto in_use = explain_disk_in_use(errors_))
      return *in_use;
    auto [error, sentence] =
        tail_.explain(options_.image.string(), {errors_, qemu, monitor_.shutdown_reason()}, options_.memory);
    tell("verdict " + sentence);
    if (options_.accelerator == Accelerator::kvm && error.failure == Failure::machine)
      error.hint = "if KVM does not work on this host: ukl run --accel tcg";
    return error;
  }

  Result<MachineEnd> finished_with(int status) {
    if (const auto sentence = tail_.out_of_memory(options_.memory); !sentence.empty()) {
      tell("verdict " + sentence);
      streams_.note("the program needs more memory than the machine has; give it more with -m");
    }
    if (status == 0)
      TRY(streams_.written_whole());
    take_last_bytes();
    return ended_with(status);
  }

  const MachineOptions& options_;
  const MachineNews& news_;
  MachineChannels channels_;
  ProgramStreams streams_;
  Process process_;
  SignalQueue signals_;
  Clock::time_point start_;
  MachineSupervisor supervisor_;
  UserNetworkDrain network_;
  QemuMonitor monitor_;
  ForwardedPorts ports_;
  ClockWatch clock_;
  SharedFolders& folders_;
  HostCards& cards_;
  WarmKeeping warm_;
  std::string address_; // the guest's
  int terminal_;        // the terminal to which the program writes, or -1
  RawTerminal keys_;
  bool messages_on_terminal_;
  std::string window_;
  std::optional<ExecSessions> exec_;
  ConsoleTail tail_;
  MachineEnd end_;
  std::string errors_;
  std::optional<Clock::time_point> stalls_at_; // when a reader that has taken nothing since is given up
  std::uint64_t written_ = 0;                  // what our descriptors had taken then
  bool background_ = false;                    // the program has ended, and others run on
  bool answered_ = false;
  bool greeted_ = false;                          // QEMU is set up
  std::optional<Clock::time_point> first_output_; // of the program
};

} // namespace

Result<MachineEnd> see_to_its_end(RunningMachine machine, const MachineOptions& options,
                                  const HostStreams& host, const MachineNews& news) {
  return Run(options, host, std::move(machine), news).to_its_end();
}

} // namespace ukl
