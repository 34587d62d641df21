// SPDX-License-Identifier: GPL-2.0-only
#include "machine/run_plain.hpp"

#include "machine/console_status.hpp"
#include "machine/signal_queue.hpp"
#include "support/files.hpp"
#include "support/process.hpp"
#include "support/text.hpp"
#include "ukl/run_settings.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How long a hypervisor may take to end once it was asked to.
constexpr milliseconds kObeys{2000};
constexpr std::size_t kMostErrors = 65536;

bool asks_to_end(int signal) {
  return signal == SIGINT || signal == SIGTERM || signal == SIGHUP || signal == SIGQUIT;
}

bool write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno != EINTR)
      return false;
    text.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
  }
  return true;
}

// One read of a pipe; false at its end.
bool take(FileDescriptor& pipe, std::string& bytes) {
  char buffer[65536];
  const ssize_t got = read(pipe.get(), buffer, sizeof buffer);
  if (got > 0)
    bytes.append(buffer, static_cast<std::size_t>(got));
  if (got > 0 || (got < 0 && errno == EINTR))
    return true;
  pipe = FileDescriptor();
  return false;
}

Result<std::pair<FileDescriptor, FileDescriptor>> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return file_error("pipe", "create", errno);
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

// The plan, with its files in a folder that lives as long as the machine.
Result<MachinePlan> plan_in(const std::filesystem::path& folder, const Hypervisor& hypervisor,
                            MachineOptions options, const Manifest& manifest) {
  options.settings.emplace_back(key::console_status, "1");
  const auto settings = folder / "settings";
  TRY(write_text(settings, encode_run_settings(run_settings(options))));
  const FileDescriptor block(open(settings.c_str(), O_RDONLY | O_CLOEXEC));
  Channels channels;
  if (options.takes_block)
    channels.settings = block.get();
  TRY_LET(auto plan, plan_machine(hypervisor, options, manifest, channels));
  if (options.takes_block)
    plan.initrd = settings;
  plan.file = folder / "machine";
  if (hypervisor.file)
    TRY(write_text(plan.file, hypervisor.file(plan)));
  return plan;
}

Result<Process> start(const Hypervisor& hypervisor, const MachinePlan& plan, int input, int output,
                      int errors) {
  ProcessOptions how;
  how.standard_input = input;
  how.standard_output = output;
  how.standard_error = errors;
  auto process = Process::start(hypervisor.command(plan), how);
  if (!process && process.error().failure == Failure::missing_tool)
    return Error{Failure::missing_tool,
                 fmt::format("cannot start {}: it is not installed", hypervisor.program),
                 *hypervisor.package ? fmt::format("apt-get install {}", hypervisor.package)
                                     : fmt::format("Debian does not have it; put {} into a folder of $PATH",
                                                   hypervisor.program)};
  return process;
}

// Our input on its way to the console's, once somebody there reads it: what comes before, Linux's driver
// throws away.
class Typed {
public:
  explicit Typed(FileDescriptor target) : target_(std::move(target)) {
    fcntl(target_.get(), F_SETFL, fcntl(target_.get(), F_GETFL) | O_NONBLOCK);
  }
  pollfd source(bool ready) const {
    return {ready && !ended_ && waiting_.empty() ? STDIN_FILENO : -1, POLLIN, 0};
  }
  pollfd target() const { return {waiting_.empty() ? -1 : target_.get(), POLLOUT, 0}; }
  void take() {
    char buffer[4096];
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got > 0)
      waiting_.assign(buffer, static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)
      ended_ = true; // a console has no end that the program could see
    give();
  }
  void give() {
    const ssize_t given = write(target_.get(), waiting_.data(), waiting_.size());
    if (given > 0)
      waiting_.erase(0, static_cast<std::size_t>(given));
    else if (given < 0 && errno != EAGAIN && errno != EINTR)
      waiting_.clear();
  }

private:
  FileDescriptor target_;
  std::string waiting_;
  bool ended_ = false;
};

void stop(Process& process) {
  process.signal(SIGTERM);
  if (!process.wait_for(kObeys))
    process.signal(SIGKILL);
  process.wait();
}

} // namespace

Result<MachineEnd> run_plain_machine(const Hypervisor& hypervisor, const MachineOptions& options,
                                     const Manifest& manifest) {
  TRY_LET(auto signals, SignalQueue::create());
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-machine"));
  TRY_LET(const auto plan, plan_in(folder.path(), hypervisor, options, manifest));
  TRY_LET(auto input, make_pipe());
  TRY_LET(auto console, make_pipe());
  TRY_LET(auto errors, make_pipe());
  const auto begin = Clock::now();
  TRY_LET(auto process,
          start(hypervisor, plan, input.first.get(), console.second.get(), errors.second.get()));
  input.first = FileDescriptor();
  Typed typed(std::move(input.second));
  console.second = FileDescriptor();
  errors.second = FileDescriptor();

  MachineEnd end;
  ConsoleStatus status;
  std::string said;
  bool written = true;
  int stopped_with = 0;
  while (console.first && stopped_with == 0) {
    int wait = -1;
    if (options.timeout)
      wait = static_cast<int>(std::clamp<long long>(
          std::chrono::duration_cast<milliseconds>(begin + *options.timeout - Clock::now()).count(), 0,
          60000));
    pollfd events[] = {{console.first.get(), POLLIN, 0},
                       {errors.first ? errors.first.get() : -1, POLLIN, 0},
                       {signals.descriptor(), POLLIN, 0},
                       typed.source(status.ready()),
                       typed.target()};
    poll(events, std::size(events), wait);
    if (events[0].revents) {
      std::string bytes;
      take(console.first, bytes);
      if (end.first_byte == milliseconds() && !bytes.empty())
        end.first_byte = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
      written = write_out(status.take(bytes)) && written;
    }
    if (events[1].revents && take(errors.first, said) && said.size() > kMostErrors)
      said.erase(0, said.size() - kMostErrors);
    if (events[3].revents)
      typed.take();
    if (events[4].revents)
      typed.give();
    if (events[2].revents)
      for (const int signal : signals.take())
        if (asks_to_end(signal))
          stopped_with = 128 + signal;
    if (options.timeout && Clock::now() >= begin + *options.timeout)
      stopped_with = kTimedOut;
  }
  written = write_out(status.rest()) && written;
  if (stopped_with != 0)
    stop(process);
  const int ended = process.wait();
  while (errors.first && take(errors.first, said)) {
  }
  end.total = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
  end.status = stopped_with != 0 ? stopped_with : status.status().value_or(0);
  if (stopped_with == 0 && !status.status())
    return Error{Failure::machine,
                 fmt::format("{} ended without a word about its program ({} said: {}; status {})",
                             options.image.string(), hypervisor.program,
                             said.empty() ? "nothing" : last_line(said), ended),
                 ""};
  if (!written)
    return Error{Failure::unwritable, "cannot write the program's output", "send it somewhere else"};
  return end;
}

} // namespace ukl
