// SPDX-License-Identifier: GPL-2.0-only
#include "machine/program_streams.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace ukl {
namespace {

// Lets go of one of our standard streams, so that its other end sees that.
void replace_by_null(int standard) {
  const FileDescriptor null(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (null)
    dup2(null.get(), standard);
}

} // namespace

Result<ProgramStreams> ProgramStreams::start(const HostStreams& host, MachineChannels& channels, bool quiet,
                                             const std::shared_ptr<LineWatch>& watch) {
  ProgramStreams streams;
  streams.wake_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!streams.wake_)
    return file_error("event", "create", errno);
  const int wake = streams.wake();
  streams.watch_ = watch;
  if (!quiet && host.error != StreamKind::closed) {
    TRY_LET(auto messages, MessagePump::start(STDERR_FILENO, wake));
    streams.messages_.emplace(std::move(messages));
  }
  streams.has_keys_ = host.input == StreamKind::terminal;
  const auto& to_guest = streams.has_keys_ ? channels.terminal : channels.input;
  if (to_guest) {
    TRY_LET(auto input, InputPump::start(STDIN_FILENO, to_guest.get(), streams.has_keys_, wake));
    streams.input_.emplace(std::move(input));
  }
  const std::array<std::pair<FileDescriptor*, int>, 4> sources = {{{nullptr, -1},
                                                                   {&channels.output, STDOUT_FILENO},
                                                                   {&channels.error, STDERR_FILENO},
                                                                   {&channels.terminal, host.terminal()}}};
  for (std::size_t stream = 1; stream < sources.size(); ++stream) {
    const auto& [source, target] = sources.at(stream);
    if (!*source)
      continue;
    OutputPump::Seen seen;
    if (watch)
      seen = [watch, stream](std::string_view bytes) {
        return watch->take(static_cast<unsigned>(stream), bytes);
      };
    TRY_LET(auto pump, OutputPump::start(std::move(*source), target, wake, std::move(seen)));
    streams.output_.at(stream).emplace(std::move(pump));
  }
  return streams;
}

void ProgramStreams::drain() const {
  std::uint64_t drained = 0;
  [[maybe_unused]] const ssize_t ignored = read(wake_.get(), &drained, sizeof drained);
}

void ProgramStreams::show(std::string_view console) {
  if (messages_)
    messages_->add(console);
}

void ProgramStreams::note(const std::string& text) {
  if (messages_)
    messages_->add_line(fmt::format("ukl: {}", text));
}

void ProgramStreams::set_raw(bool raw) {
  if (messages_)
    messages_->set_raw(raw);
}

void ProgramStreams::set_interrupt_key(int key) const {
  if (input_)
    input_->set_interrupt_key(key);
}

void ProgramStreams::set_started() const {
  if (input_)
    input_->set_started();
}

void ProgramStreams::pass_ends(MachineSupervisor& supervisor) {
  if (input_ended() && !input_ended_) {
    input_ended_ = true;
    if (!has_keys_)
      supervisor.send(fmt::format("end 0 {}", input_->bytes()));
  }
  if (supervisor.input_closed() && input_ && !has_keys_) {
    input_->stop();
    if (!input_let_go_)
      replace_by_null(STDIN_FILENO);
    input_let_go_ = true;
  }
  for (unsigned stream = 1; stream < output_.size(); ++stream) {
    auto& pump = output_.at(stream);
    if (!pump)
      continue;
    if (const auto bytes = supervisor.bytes_of(stream))
      pump->end_at(*bytes);
    if (stream == STDOUT_FILENO && pump->ended() && !output_let_go_) {
      output_let_go_ = true;
      replace_by_null(STDOUT_FILENO);
    }
  }
}

void ProgramStreams::source_ended() {
  for (auto& pump : output_)
    if (pump)
      pump->source_ended();
}

bool ProgramStreams::any_output() const {
  return std::ranges::any_of(output_, [](const auto& pump) { return pump && pump->any(); });
}

bool ProgramStreams::all_came(const MachineSupervisor& supervisor) const {
  for (unsigned stream = 1; stream < output_.size(); ++stream) {
    const auto& pump = output_.at(stream);
    const auto bytes = supervisor.bytes_of(stream);
    if (pump && bytes && !pump->has(*bytes))
      return false;
  }
  return true;
}

bool ProgramStreams::all_written() const {
  return messages_written() &&
         std::ranges::all_of(output_, [](const auto& pump) { return !pump || pump->ended(); });
}

std::uint64_t ProgramStreams::written() const {
  std::uint64_t sum = 0;
  for (const auto& pump : output_)
    sum += pump ? pump->written() : 0;
  return sum;
}

Result<void> ProgramStreams::written_whole() const {
  for (const auto& [stream, name] : {std::pair(1u, "output"), {2u, "error"}, {3u, "terminal"}})
    if (const auto& pump = output_.at(stream); pump && pump->error() != 0) {
      const int number = pump->error();
      const bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
      return Error{full ? Failure::disk_full : Failure::unwritable,
                   fmt::format("cannot write the program's {}: {}", name, std::strerror(number)),
                   "what it wrote is not complete: send it somewhere else"};
    }
  return {};
}

} // namespace ukl
