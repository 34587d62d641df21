// SPDX-License-Identifier: GPL-2.0-only
#include "machine/bridge_port.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr const char* kHelpers[] = {"/usr/lib/qemu/qemu-bridge-helper", "/usr/libexec/qemu-bridge-helper"};

// Linux puts a number in place of %d.
constexpr const char* kDeviceNames = "ukltap%d";

ifreq request_for(const std::string& device) {
  ifreq request = {};
  device.copy(request.ifr_name, IFNAMSIZ - 1);
  return request;
}

Error cannot_join(const std::string& bridge, int error) {
  return {Failure::machine, fmt::format("cannot join the bridge {}: {}", bridge, std::strerror(error)), ""};
}

// 0 or errno.
int put_on_bridge(const std::string& device, const std::string& bridge) {
  const FileDescriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any)
    return errno;
  auto of_device = request_for(device), of_bridge = request_for(bridge);
  // Before it joins, since a bridge is as narrow as its narrowest port.
  if (ioctl(any.get(), SIOCGIFMTU, &of_bridge) != 0)
    return errno;
  of_device.ifr_mtu = of_bridge.ifr_mtu;
  if (ioctl(any.get(), SIOCSIFMTU, &of_device) != 0)
    return errno;
  if (ioctl(any.get(), SIOCGIFINDEX, &of_device) != 0)
    return errno;
  of_bridge.ifr_ifindex = of_device.ifr_ifindex;
  if (ioctl(any.get(), SIOCBRADDIF, &of_bridge) != 0)
    return errno;
  of_device = request_for(device);
  of_device.ifr_flags = IFF_UP;
  return ioctl(any.get(), SIOCSIFFLAGS, &of_device) == 0 ? 0 : errno;
}

} // namespace

Result<std::optional<BridgePort>> join_bridge(const std::string& bridge, unsigned queues) {
  BridgePort port;
  port.device = kDeviceNames;
  for (unsigned number = 0; number < queues; ++number) {
    FileDescriptor queue(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
    if (!queue)
      return errno == EACCES || errno == EPERM
                 ? Result<std::optional<BridgePort>>(std::nullopt)
                 : Result<std::optional<BridgePort>>(file_error("/dev/net/tun", "open", errno));
    auto request = request_for(port.device);
    request.ifr_flags =
        static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (queues > 1 ? IFF_MULTI_QUEUE : 0));
    if (ioctl(queue.get(), TUNSETIFF, &request) != 0) {
      if (errno == EPERM)
        return std::optional<BridgePort>();
      return cannot_join(bridge, errno);
    }
    port.device = request.ifr_name;
    port.queues.push_back(std::move(queue));
  }
  const int error = put_on_bridge(port.device, bridge);
  if (error == EPERM)
    return std::optional<BridgePort>();
  if (error != 0)
    return cannot_join(bridge, error);
  return std::optional(std::move(port));
}

Result<void> check_bridge_port() {
  if (geteuid() == 0 ||
      std::ranges::any_of(kHelpers, [](const char* path) { return access(path, X_OK) == 0; }))
    return {};
  return Error{Failure::missing_tool, "qemu-bridge-helper is not installed",
               "apt-get install qemu-system-common"};
}

} // namespace ukl
