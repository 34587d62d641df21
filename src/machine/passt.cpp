// SPDX-License-Identifier: GPL-2.0-only
#include "machine/passt.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr const char* kProgram = "passt";

// A busy host may need seconds to start a program.
constexpr int kLongestStart = 30000; // milliseconds

Error not_installed() {
  return {Failure::missing_tool, "passt is not installed",
          "apt-get install passt, or take --network user, which QEMU brings along"};
}

// What it says, without what its log of the system does not take.
std::string last_words(const FileDescriptor& messages) {
  std::string text, words;
  char buffer[4096];
  for (ssize_t got; (got = read(messages.get(), buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = text.substr(start, end - start);
    if (!line.empty() && !line.starts_with("Failed to send ") && !line.starts_with("Don't run as root"))
      words = line;
    start = end + 1;
  }
  return words;
}

// True once it has written its number; false if it ended instead, or took too long.
bool becomes_ready(const FileDescriptor& ready) {
  pollfd event = {ready.get(), POLLIN, 0};
  int got = 0;
  do
    got = poll(&event, 1, kLongestStart);
  while (got < 0 && errno == EINTR);
  char number[32];
  return got == 1 && read(ready.get(), number, sizeof number) > 0;
}

Result<std::pair<FileDescriptor, FileDescriptor>> pipe_ends(int flags) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | flags) != 0)
    return file_error("pipe", "create", errno);
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

} // namespace

Result<void> check_passt() {
  // It says so and ends.
  const auto output = run_command({kProgram, "--version"});
  if (!output)
    return not_installed();
  return {};
}

std::vector<std::string> passt_command(const Manifest& network, const std::vector<Forward>& forwards,
                                       int socket, int ready) {
  std::vector<std::string> command = {
      kProgram, "--foreground",         "--stderr", "--quiet",
      "--fd",   std::to_string(socket), "--pid",    fmt::format("/proc/self/fd/{}", ready)};
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty())
      command.insert(command.end(), {option, value});
  };
  for (const bool ipv6 : {false, true}) {
    const auto address = address_of(network, key::address, ipv6);
    if (address == key::kDhcp || address == key::kSlaac)
      continue;
    const auto slash = address.find('/');
    add("--address", address.substr(0, slash));
    if (!ipv6 && slash != std::string::npos)
      add("--netmask", address.substr(slash + 1));
    add("--gateway", address_of(network, key::gateway, ipv6));
    add("--dns-forward", address_of(network, key::dns, ipv6));
  }
  for (const auto& forward : forwards)
    add(forward.protocol == "udp" ? "--udp-ports" : "--tcp-ports",
        fmt::format("{}/{}:{}", forward.host_address, forward.host_port, forward.guest_port));
  return command;
}

Result<Passt> Passt::start(const Manifest& network, const std::vector<Forward>& forwards) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return file_error("socket", "create", errno);
  FileDescriptor ours(ends[0]), theirs(ends[1]);
  TRY_LET(auto number, pipe_ends(0));
  TRY_LET(auto messages, pipe_ends(O_NONBLOCK));
  // As root it first becomes nobody, and then opens this by its name.
  if (fchmod(number.second.get(), 0222) != 0)
    return file_error("pipe", "change", errno);
  ProcessOptions options;
  options.standard_output = options.standard_error = messages.second.get();
  options.keep = {theirs.get(), number.second.get()};
  auto process = Process::start(passt_command(network, forwards, theirs.get(), number.second.get()), options);
  if (!process)
    return process.error().failure == Failure::missing_tool ? not_installed() : process.error();
  theirs = FileDescriptor();
  number.second = FileDescriptor();
  messages.second = FileDescriptor();
  if (becomes_ready(number.first))
    return Passt{std::move(*process), std::move(ours), std::move(messages.first)};
  process->wait_for(std::chrono::milliseconds(1000));
  const auto words = last_words(messages.first);
  if (words.starts_with("Failed to bind"))
    return Error{Failure::port_in_use, fmt::format("passt cannot listen on a forwarded port: {}", words),
                 "another has the port, or it is below 1024: passt is not root even if we are (sysctl "
                 "net.ipv4.ip_unprivileged_port_start)"};
  if (words.starts_with("Overlapping port"))
    return Error{Failure::usage, "passt takes each port of this machine once, on one address",
                 "publish the port of the second address under another number"};
  return Error{Failure::machine,
               fmt::format("passt does not start: {}", words.empty() ? "it says not why" : words),
               "take --network user, which QEMU brings along"};
}

} // namespace ukl
