// SPDX-License-Identifier: GPL-2.0-only
#include "machine/channels.hpp"

#include "support/environment.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::size_t kMostUnsent = 1 << 20;

Result<void> make_pipe(FileDescriptor& reader, FileDescriptor& writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return file_error("pipe", "create", errno);
  reader = FileDescriptor(ends[0]);
  writer = FileDescriptor(ends[1]);
  return {};
}

Result<void> make_sockets(FileDescriptor& ours, FileDescriptor& theirs) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return file_error("socket", "create", errno);
  ours = FileDescriptor(ends[0]);
  theirs = FileDescriptor(ends[1]);
  return {};
}

void set_nonblocking(const FileDescriptor& descriptor) {
  fcntl(descriptor.get(), F_SETFL, fcntl(descriptor.get(), F_GETFL) | O_NONBLOCK);
}

} // namespace

Result<MachineChannels> MachineChannels::open(const HostStreams& streams, bool monitor, bool exec,
                                              const std::vector<int>& ignored) {
  MachineChannels channels;
  std::vector<Result<void>> made = {make_pipe(channels.console, channels.far_console_),
                                    make_pipe(channels.errors, channels.far_errors_),
                                    make_sockets(channels.control, channels.far_control_)};
  if (monitor)
    made.push_back(make_sockets(channels.monitor, channels.far_monitor_));
  if (exec)
    made.push_back(make_sockets(channels.exec, channels.far_exec_));
  if (streams.input == StreamKind::pipe)
    made.push_back(make_sockets(channels.input, channels.far_input_));
  if (streams.output == StreamKind::pipe)
    made.push_back(make_sockets(channels.output, channels.far_output_));
  if (streams.error == StreamKind::pipe)
    made.push_back(make_sockets(channels.error, channels.far_error_));
  if (streams.has_terminal())
    made.push_back(make_sockets(channels.terminal, channels.far_terminal_));
  for (const auto& one : made)
    if (!one)
      return one.error();
  // Something that QEMU started may hold their far ends longer than QEMU lives.
  for (const auto* ours :
       {&channels.console, &channels.errors, &channels.control, &channels.monitor, &channels.exec})
    if (*ours)
      set_nonblocking(*ours);

  channels.words_.emplace_back(key::streams, streams.word());
  if (exec)
    channels.words_.emplace_back(key::exec, "1");
  if (!ignored.empty())
    channels.words_.emplace_back(key::ignored, fmt::format("{}", fmt::join(ignored, ",")));
  if (!streams.has_terminal())
    return channels;
  if (const auto size = window_size(streams.terminal(), ','); !size.empty())
    channels.words_.emplace_back(key::window, size);
  if (const auto type = terminal_type(); !type.empty())
    channels.words_.emplace_back(key::terminal, type);
  return channels;
}

Channels MachineChannels::for_qemu() const {
  return {far_control_.get(),  far_input_.get(),   far_output_.get(), far_error_.get(),
          far_terminal_.get(), far_monitor_.get(), far_exec_.get(),   words_};
}

ProcessOptions MachineChannels::process_options() const {
  ProcessOptions options;
  options.standard_output = far_console_.get();
  options.standard_error = far_errors_.get();
  for (const auto* end :
       {&far_control_, &far_monitor_, &far_input_, &far_output_, &far_error_, &far_terminal_, &far_exec_})
    if (*end)
      options.keep.push_back(end->get());
  return options;
}

void MachineChannels::close_far_ends() {
  for (auto* end : {&far_console_, &far_errors_, &far_control_, &far_monitor_, &far_input_, &far_output_,
                    &far_error_, &far_terminal_, &far_exec_})
    *end = FileDescriptor();
}

void MachineChannels::send_control(std::string_view text) {
  if (unsent_.size() < kMostUnsent)
    unsent_ += text;
  while (!unsent_.empty() && control) {
    const ssize_t written = send(control.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
    if (written > 0)
      unsent_.erase(0, static_cast<std::size_t>(written));
    else if (errno == EAGAIN)
      return;
    else if (errno != EINTR)
      unsent_.clear();
  }
}

} // namespace ukl
