// SPDX-License-Identifier: GPL-2.0-only
#include "machine/host_network.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kForm = "write user, tap:NAME, bridge:NAME or none";

constexpr const char* kHelpers[] = {"/usr/lib/qemu/qemu-bridge-helper", "/usr/libexec/qemu-bridge-helper"};

bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name.find_first_of("/, \t\n") == std::string::npos &&
         name != "." && name != "..";
}

Result<void> check_tap(const std::string& name) {
  const FileDescriptor device(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (!device)
    return file_error("/dev/net/tun", "open", errno);
  ifreq request = {};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  if (ioctl(device.get(), TUNSETIFF, &request) == 0)
    return {};
  if (errno == EBUSY)
    return Error{Failure::port_in_use, fmt::format("another machine has the tap device {}", name),
                 "end that machine, or make another device"};
  return Error{errno == EPERM || errno == EACCES ? Failure::unreadable : Failure::usage,
               fmt::format("cannot use the tap device {}: {}", name, std::strerror(errno)),
               fmt::format("make it for your user: sudo ip tuntap add {} mode tap user $USER", name)};
}

} // namespace

Result<HostNetwork> HostNetwork::parse(const std::string& text) {
  HostNetwork network;
  const auto colon = text.find(':');
  const auto kind = text.substr(0, colon);
  if (colon != std::string::npos)
    network.name = text.substr(colon + 1);
  const bool named = kind == "tap" || kind == "bridge";
  if ((!named && kind != "user" && kind != "none") || named != (colon != std::string::npos) ||
      (named && !is_interface_name(network.name)))
    return Error{Failure::usage, fmt::format("--network {} is not understood", text), kForm};
  network.kind = kind == "tap"      ? Kind::tap
                 : kind == "bridge" ? Kind::bridge
                 : kind == "none"   ? Kind::none
                                    : Kind::user;
  return network;
}

Result<std::string> parse_mac(const std::string& text) {
  std::string mac = text;
  std::ranges::replace(mac, '-', ':');
  std::ranges::transform(mac, mac.begin(), [](unsigned char byte) { return std::tolower(byte); });
  bool good = mac.size() == 17;
  for (std::size_t at = 0; good && at < mac.size(); ++at)
    good = at % 3 == 2 ? mac[at] == ':' : std::isxdigit(static_cast<unsigned char>(mac[at])) != 0;
  if (!good || (std::stoul(mac.substr(0, 2), nullptr, 16) & 1) != 0 || mac == "00:00:00:00:00:00")
    return Error{Failure::usage, fmt::format("'{}' is no address of a network card", text),
                 "write six bytes, the first of them even: 52:54:00:12:34:56"};
  return mac;
}

std::string mac_for(const std::string& name) {
  const auto hash = sha256_hex({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
  return fmt::format("52:54:00:{}:{}:{}", hash.substr(0, 2), hash.substr(2, 2), hash.substr(4, 2));
}

Result<void> check_host_network(const HostNetwork& network) {
  if (network.kind == HostNetwork::Kind::user || network.kind == HostNetwork::Kind::none)
    return {};
  std::error_code ignored;
  const auto folder = fs::path("/sys/class/net") / network.name;
  const bool bridge = network.kind == HostNetwork::Kind::bridge;
  if (!fs::exists(folder, ignored))
    return Error{Failure::not_found, fmt::format("there is no network device {}", network.name),
                 bridge ? fmt::format("make it: sudo ip link add {} type bridge", network.name)
                        : fmt::format("make it: sudo ip tuntap add {} mode tap user $USER", network.name)};
  if (!bridge)
    return check_tap(network.name);
  if (!fs::exists(folder / "bridge", ignored))
    return Error{Failure::usage, fmt::format("{} is no bridge", network.name), kForm};
  if (std::ranges::none_of(kHelpers, [&](const char* path) { return fs::exists(path, ignored); }))
    return Error{Failure::missing_tool, "qemu-bridge-helper is not installed",
                 "apt-get install qemu-system-common"};
  return {};
}

} // namespace ukl
