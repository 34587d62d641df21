// SPDX-License-Identifier: GPL-2.0-only
#include "machine_checks.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ukl {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;

// What Linux and init took beyond the image and its unpacked tree in the smallest machines that still ran a
// program that prints a line (profile general; see tests/boot).
constexpr std::uint64_t kKernelMemory = 20 * kMebibyte;

Result<void> check_port(const Forward& forward) {
  const bool udp = forward.protocol == "udp";
  const FileDescriptor fd(socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  // QEMU sets it too: a port in TIME_WAIT is free.
  const int yes = 1;
  if (!udp)
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(forward.host_port);
  inet_pton(AF_INET, forward.host_address.c_str(), &address.sin_addr);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return {};
  const std::string port =
      fmt::format("{} port {}:{}", udp ? "UDP" : "TCP", forward.host_address, forward.host_port);
  if (errno == EADDRINUSE)
    return Error{
        Failure::port_in_use, port + " is in use",
        fmt::format("take another host port, as in -p {}:{}, or see who has it: ss -ap 'sport = :{}'",
                    forward.host_port == 65535 ? 65534 : forward.host_port + 1, forward.guest_port,
                    forward.host_port)};
  return Error{Failure::usage, fmt::format("cannot listen on {}: {}", port, std::strerror(errno)),
               errno == EACCES ? "ports below 1024 need root"
                               : "the address has to be one of this machine's"};
}

} // namespace

std::uint64_t least_memory(const ImageInfo& image) {
  // While Linux unpacks the payload, it exists twice.
  const std::uint64_t bytes = image.memory_end + image.payload_size + kKernelMemory;
  return (bytes + kMebibyte - 1) / kMebibyte * kMebibyte;
}

Result<void> check_memory(const MachineOptions& options, const ImageInfo& image) {
  const std::uint64_t least = least_memory(image);
  if (options.memory >= least)
    return {};
  return Error{Failure::too_little_memory,
               fmt::format("{} needs at least {} MiB of memory, and the machine has {} MiB",
                           options.image.string(), least / kMebibyte, options.memory / kMebibyte),
               fmt::format("ukl run -m {}M, and more for what the program itself needs", least / kMebibyte)};
}

Result<void> check_ports(const std::vector<Forward>& forwards) {
  for (const auto& forward : forwards)
    if (auto checked = check_port(forward); !checked)
      return checked;
  return {};
}

} // namespace ukl
