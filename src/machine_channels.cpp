// SPDX-License-Identifier: GPL-2.0-only
#include "machine_channels.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

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

// The end of input on a terminal, where there is no other way to say it.
constexpr char kEndOfInput = 4;

} // namespace

Result<MachineChannels> MachineChannels::open(bool quiet) {
  MachineChannels channels;
  for (const auto& made :
       {make_pipe(channels.console, channels.far_console_), make_pipe(channels.errors, channels.far_errors_),
        make_sockets(channels.control, channels.far_control_)})
    if (!made)
      return made.error();
  // Something that QEMU started may hold their far ends longer than QEMU lives.
  for (const auto* ours : {&channels.console, &channels.errors, &channels.control})
    set_nonblocking(*ours);
  if (quiet)
    return channels;
  channels.terminal_ = isatty(STDIN_FILENO);
  auto made = channels.terminal_ ? make_pipe(channels.far_keys_, channels.input_)
                                 : make_sockets(channels.input_, channels.far_input_);
  if (!made)
    return made.error();
  set_nonblocking(channels.input_);
  channels.reading_ = true;
  return channels;
}

ProcessOptions MachineChannels::process_options() const {
  ProcessOptions options;
  options.standard_input = far_keys_.get();
  options.standard_output = far_console_.get();
  options.standard_error = far_errors_.get();
  options.keep = {far_control_.get()};
  if (far_input_)
    options.keep.push_back(far_input_.get());
  return options;
}

void MachineChannels::close_far_ends() {
  for (auto* end : {&far_console_, &far_errors_, &far_control_, &far_input_, &far_keys_})
    *end = FileDescriptor();
}

pollfd MachineChannels::input_event() const {
  if (!unsent_.empty())
    return {input_.get(), POLLOUT, 0};
  // In the background a terminal is not ours to read.
  if (!reading_ || (terminal_ && tcgetpgrp(STDIN_FILENO) != getpgrp()))
    return {-1, 0, 0};
  return {STDIN_FILENO, POLLIN, 0};
}

void MachineChannels::pass_input_on() {
  if (unsent_.empty()) {
    char buffer[65536];
    const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got > 0)
      unsent_.assign(buffer, static_cast<std::size_t>(got));
    else if (got < 0 && (errno == EINTR || errno == EAGAIN))
      return;
    else if (terminal_ && got == 0)
      unsent_ = kEndOfInput;
    else
      reading_ = false;
  }
  while (!unsent_.empty()) {
    const ssize_t written = write(input_.get(), unsent_.data(), unsent_.size());
    if (written > 0) {
      unsent_.erase(0, static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != EINTR) {
      unsent_.clear(); // the machine has ended
      reading_ = false;
    }
  }
  // Closing both ways would make QEMU drop what it has not passed on yet.
  if (!reading_ && !terminal_)
    shutdown(input_.get(), SHUT_WR);
}

void MachineChannels::send_control(std::string_view text) {
  while (!text.empty() && control) {
    const ssize_t written = send(control.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (written <= 0 && errno != EINTR)
      return;
    if (written > 0)
      text.remove_prefix(static_cast<std::size_t>(written));
  }
}

} // namespace ukl
