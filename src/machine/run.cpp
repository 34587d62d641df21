// SPDX-License-Identifier: GPL-2.0-only
#include "machine/run.hpp"

#include "machine/file_guard.hpp"
#include "machine/hypervisor.hpp"
#include "machine/monitor_socket.hpp"
#include "machine/running_machine.hpp"
#include "machine/settings_block.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>

namespace ukl {
namespace {

Result<Process> start_hypervisor(const Hypervisor& hypervisor, const MachinePlan& plan,
                                 const ProcessOptions& how) {
  auto process = Process::start(hypervisor.command(plan), how);
  if (!process && process.error().failure == Failure::missing_tool)
    return Error{Failure::missing_tool,
                 fmt::format("cannot start {}: it is not installed", hypervisor.program),
                 fmt::format("apt-get install {}", hypervisor.package)};
  return process;
}

} // namespace

Result<MachineEnd> run_machine(const MachineOptions& asked, const Manifest& manifest, bool quiet,
                               const MachineNews& news) {
  TRY_LET(auto signals, SignalQueue::create());
  const bool warm = asked.warm.use != MachineOptions::Warm::Use::none;
  // A kept machine and those that go on from it have the same ports, whatever our streams are.
  const HostStreams host = quiet  ? HostStreams()
                           : warm ? HostStreams{StreamKind::null, StreamKind::pipe, StreamKind::pipe}
                                  : look_at_host_streams();
  Manifest whole = manifest;
  add_run_settings(whole, asked.settings);
  std::string address = address_of(whole, key::address, false);
  if (address == key::kDhcp)
    address.clear(); // QEMU's own server gives the one that QEMU forwards to by itself
  MachineOptions options = asked;
  TRY(check_forwards(options, whole));
  TRY_LET(auto cards, HostCards::start(options, whole));
  TRY_LET(auto ports, ForwardedPorts::hold(options.forwards));
  TRY_LET(auto clock, ClockWatch::create());
  TRY_LET(auto channels, MachineChannels::open(host, true, warm || !asked.folder.empty(), signals.ignored()));
  TRY_LET(auto folders, SharedFolders::start(options));
  Channels for_qemu = channels.for_qemu();
  for_qemu.folders = folders.sockets();
  for_qemu.cards = cards.descriptors();
  FileDescriptor visitors;
  if (!asked.folder.empty()) {
    TRY_LET(visitors, listen_for_monitor(asked.folder));
    for_qemu.visitors = visitors.get();
  }
  FileDescriptor settings, state;
  std::string go_on;
  if (asked.warm.use == MachineOptions::Warm::Use::go_on) {
    state = FileDescriptor(open((asked.warm.folder / "state").c_str(), O_RDONLY | O_CLOEXEC));
    if (!state)
      return file_error(asked.warm.folder / "state", "read", errno);
    TRY_LET(go_on, go_on_settings(options.settings));
    for_qemu.settings = state.get(); // none: the machine has had its own, and those of this run follow
  }
  if (options.takes_block && !state) {
    TRY_LET(settings, settings_block(run_settings(options, for_qemu.words)));
    for_qemu.settings = settings.get();
  }
  const Hypervisor& hypervisor = qemu();
  TRY_LET(const auto plan, plan_machine(hypervisor, options, manifest, for_qemu));
  const auto start = std::chrono::steady_clock::now();
  auto how = channels.process_options();
  if (visitors)
    how.keep.push_back(visitors.get());
  if (settings)
    how.keep.push_back(settings.get());
  if (state)
    how.keep.push_back(state.get());
  for (const int descriptor : folders.inherited())
    how.keep.push_back(descriptor);
  for (const auto& card : cards.descriptors())
    how.keep.insert(how.keep.end(), card.begin(), card.end());
  if (!folders.guard().empty())
    how.prepare = [&] { return enter_file_guard(folders.guard()); };
  TRY_LET(auto process, start_hypervisor(hypervisor, plan, how));
  channels.close_far_ends();
  folders.close_far_ends();
  cards.close_far_ends();
  TRY_LET(auto program, ProgramStreams::start(host, channels, quiet, asked.warm.line));
  return see_to_its_end({std::move(channels), std::move(program), std::move(process), std::move(signals),
                         std::move(ports), std::move(clock), folders, cards,
                         WarmKeeping(asked.warm, state.get(), std::move(go_on)),
                         address.substr(0, address.find('/')), start},
                        options, host, news);
}

} // namespace ukl
