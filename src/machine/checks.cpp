// SPDX-License-Identifier: GPL-2.0-only
#include "machine/checks.hpp"

#include "contents/environment_files.hpp"
#include "image/payload_read.hpp"
#include "machine/socket_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ukl {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;

double mebibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / kMebibyte;
}

} // namespace

Result<FileDescriptor> take_port(const Forward& forward) {
  const bool udp = forward.protocol == "udp";
  const auto address = SocketAddress::of(forward);
  FileDescriptor fd(
      socket(address.family(), (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // QEMU sets it too: a port in TIME_WAIT is free.
  const int yes = 1;
  if (!udp)
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  // [::] leaves IPv4 to others.
  if (address.family() == AF_INET6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
  if (bind(fd.get(), address.get(), address.size) == 0)
    return fd;
  const std::string port = fmt::format("{} port {}", udp ? "UDP" : "TCP", forward.host());
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

Result<void> check_memory(const MachineOptions& options, const MemoryNeed& need) {
  if (options.memory >= need.least)
    return {};
  return Error{
      Failure::too_little_memory,
      fmt::format("{} needs at least {:g} MiB of memory, and the machine has {:g} MiB",
                  options.image.string(), mebibytes(need.least), mebibytes(options.memory)),
      fmt::format("ukl run -m {}, and more for what the program itself needs; without -m it gets {:g} MiB",
                  need.least % kMebibyte ? fmt::format("{}K", need.least >> 10)
                                         : fmt::format("{}M", need.least / kMebibyte),
                  mebibytes(need.comfortable))};
}

Result<void> check_ports(const std::vector<Forward>& forwards) {
  for (const auto& forward : forwards)
    if (auto taken = take_port(forward); !taken)
      return taken.error();
  return {};
}

Result<std::vector<std::string>> choose_free_ports(std::vector<Forward>& forwards) {
  std::vector<std::string> sentences;
  std::vector<FileDescriptor> held; // none is chosen twice
  for (auto& forward : forwards) {
    if (forward.host_port != 0)
      continue;
    TRY_LET(auto socket, take_port(forward));
    sockaddr_in6 address = {}; // an IPv4 address has its port in the same place
    socklen_t size = sizeof address;
    getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size);
    forward.host_port = ntohs(address.sin6_port);
    sentences.push_back(
        fmt::format("{} port {} is {} here", forward.protocol, forward.guest_port, forward.host()));
    held.push_back(std::move(socket));
  }
  return sentences;
}

Result<std::string> missing_time_zone(const MachineOptions& options, const ImageInfo& image) {
  const auto sets_zone = [](const std::string& variable) { return variable.starts_with("TZ="); };
  const auto added = values_of(options.settings, key::environment);
  if (std::ranges::none_of(added, sets_zone))
    return std::string();
  auto environment = values_of(image.manifest, key::environment);
  environment.insert(environment.end(), added.begin(), added.end());
  const std::string file = time_zone_file(environment);
  if (file.empty())
    return std::string();
  for (const auto& volume : options.volumes)
    if (file.starts_with(volume.guest + "/"))
      return std::string();
  bool found = false;
  auto read =
      read_payload(options.image, image, [&](const PayloadEntry& entry, const ReadContents&) -> Result<void> {
        found = found || entry.path == file;
        return {};
      });
  if (!read)
    return read.error();
  if (found)
    return std::string();
  return fmt::format(
      "the image has no {}: the program's times will be in UTC; ukl pack --env TZ=… adds the zone", file);
}

} // namespace ukl
