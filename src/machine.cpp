// SPDX-License-Identifier: GPL-2.0-only
#include "machine.hpp"

#include "console_tail.hpp"
#include "listen_backlog.hpp"
#include "machine_channels.hpp"
#include "machine_command.hpp"
#include "machine_supervisor.hpp"
#include "signal_queue.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
}

// Everything that one run needs between QEMU's start and its end.
class Run {
public:
  Run(const MachineOptions& options, MachineChannels channels, Process process, SignalQueue signals,
      bool quiet, Clock::time_point start)
      : options_(options), channels_(std::move(channels)), process_(std::move(process)),
        signals_(std::move(signals)), quiet_(quiet), start_(start),
        supervisor_({}, options.timeout ? std::optional(start + *options.timeout) : std::nullopt) {}

  Result<MachineEnd> to_its_end() {
    // The console's end is the machine's: QEMU holds its other side until it exits.
    while (channels_.console) {
      const auto stop = supervisor_.must_stop(Clock::now());
      if (stop != MachineSupervisor::Stop::no)
        return stopped(stop);
      wait_for_events();
    }
    if (!process_.wait_for(milliseconds(5000)))
      process_.signal(SIGKILL);
    process_.wait();
    return finished();
  }

private:
  void wait_for_events() {
    enum { console, errors, control, signals, input, count };
    std::array<pollfd, count> events = {};
    events[console] = {channels_.console.get(), POLLIN, 0};
    events[errors] = {channels_.errors.get(), POLLIN, 0};
    events[control] = {channels_.control.get(), POLLIN, 0};
    events[signals] = {signals_.descriptor(), POLLIN, 0};
    events[input] = channels_.input_event();
    int wait = -1;
    if (const auto deadline = supervisor_.next_deadline()) {
      const auto left = std::chrono::duration_cast<milliseconds>(*deadline - Clock::now()).count() + 1;
      wait = static_cast<int>(std::clamp<long long>(left, 0, 60000));
    }
    if (poll(events.data(), events.size(), wait) < 0)
      return; // EINTR: look again
    if (events[signals].revents)
      for (const int signal : signals_.take())
        supervisor_.on_signal(signal, Clock::now());
    if (events[control].revents)
      take_control();
    if (events[errors].revents)
      take(channels_.errors, [this](std::string_view bytes) { errors_ += bytes; });
    if (events[console].revents)
      take(channels_.console, [this](std::string_view bytes) { show(bytes); });
    if (events[input].revents)
      channels_.pass_input_on();
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

  void take_control() {
    take(channels_.control, [this](std::string_view bytes) {
      supervisor_.on_control(bytes, Clock::now());
      if (supervisor_.started() && end_.started == milliseconds()) {
        end_.started = since(start_);
        if (!options_.forwards.empty())
          widen_listen_backlogs(process_.pid());
      }
    });
  }

  void show(std::string_view bytes) {
    if (end_.first_byte == milliseconds())
      end_.first_byte = since(start_);
    tail_.add(bytes);
    while (!quiet_ && !output_closed_ && !bytes.empty()) {
      const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (written > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EAGAIN) {
        pollfd writable = {STDOUT_FILENO, POLLOUT, 0};
        poll(&writable, 1, -1);
      } else if (errno != EINTR) {
        // What a program gets whose reader has gone.
        output_closed_ = true;
        supervisor_.on_signal(SIGPIPE, Clock::now());
      }
    }
  }

  // Reads what QEMU has already written, so that nothing that the program said is lost.
  void drain_console() {
    pollfd event = {channels_.console.get(), POLLIN, 0};
    while (channels_.console && poll(&event, 1, 0) > 0)
      take(channels_.console, [this](std::string_view bytes) { show(bytes); });
  }

  Result<MachineEnd> stopped(MachineSupervisor::Stop stop) {
    // SIGTERM lets QEMU write what its disks still hold.
    process_.signal(SIGTERM);
    if (!process_.wait_for(milliseconds(1000)))
      process_.signal(SIGKILL);
    process_.wait();
    drain_console();
    switch (stop) {
    case MachineSupervisor::Stop::timed_out:
      print_note(fmt::format("stopped {} after {} s", options_.image.string(),
                             std::chrono::duration<double>(*options_.timeout).count()));
      return ended_with(kTimedOut);
    case MachineSupervisor::Stop::unanswered:
      print_note(fmt::format("stopped {}: its init did not answer", options_.image.string()));
      return ended_with(128 + supervisor_.last_signal());
    case MachineSupervisor::Stop::interrupted:
      return ended_with(128 + supervisor_.last_signal());
    default:
      return finished();
    }
  }

  Result<MachineEnd> ended_with(int status) {
    end_.status = status;
    end_.calls = supervisor_.calls();
    end_.total = since(start_);
    return end_;
  }

  Result<MachineEnd> finished() {
    if (channels_.control)
      take_control();
    if (channels_.errors)
      take(channels_.errors, [this](std::string_view bytes) { errors_ += bytes; });
    if (supervisor_.status()) {
      if (tail_.out_of_memory())
        print_note("the program needs more memory than the machine has; give it more with -m");
      return ended_with(*supervisor_.status());
    }
    if (errors_.find("Could not set up host forwarding rule") != std::string::npos)
      return Error{Failure::port_in_use, "a forwarded port was taken in the moment before QEMU started",
                   "try again, or take another host port"};
    Error error = tail_.explain(options_.image.string(), errors_);
    if (options_.accelerator == Accelerator::kvm && error.failure == Failure::machine)
      error.hint = "if KVM does not work on this host: ukl run --accel tcg";
    return error;
  }

  const MachineOptions& options_;
  MachineChannels channels_;
  Process process_;
  SignalQueue signals_;
  bool quiet_;
  Clock::time_point start_;
  MachineSupervisor supervisor_;
  ConsoleTail tail_;
  MachineEnd end_;
  std::string errors_;
  bool output_closed_ = false;
};

} // namespace

Result<MachineEnd> run_machine(const MachineOptions& options, const Manifest& manifest, bool quiet) {
  auto channels = MachineChannels::open(quiet);
  if (!channels)
    return channels.error();
  auto command = qemu_command(options, manifest, channels->for_qemu());
  if (!command)
    return command.error();
  auto signals = SignalQueue::create();
  if (!signals)
    return signals.error();
  const auto start = Clock::now();
  auto process = Process::start(*command, channels->process_options());
  if (!process) {
    if (process.error().failure == Failure::missing_tool)
      return Error{Failure::missing_tool, fmt::format("cannot start {}: QEMU is not installed", kQemu),
                   "apt-get install qemu-system-x86"};
    return process.error();
  }
  channels->close_far_ends();
  return Run(options, std::move(*channels), std::move(*process), std::move(*signals), quiet, start)
      .to_its_end();
}

} // namespace ukl
