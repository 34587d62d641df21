// SPDX-License-Identifier: GPL-2.0-only
#include "tap_network.hpp"
#include "ipv4.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace ukl::bench {
namespace {

Error failed(const char* what) {
  return {Failure::machine, fmt::format("no tap network: {}: {}", what, std::strerror(errno)),
          "run as root on a host that has /dev/net/tun, or choose --network user"};
}

ifreq request_for(const char* interface) {
  ifreq request = {};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  return request;
}

bool set_address(int socket, unsigned long operation, const char* text) {
  auto request = request_for(kTapName);
  const auto address = ipv4_address(text, 0);
  std::memcpy(&request.ifr_addr, &address, sizeof address);
  return ioctl(socket, operation, &request) == 0;
}

bool set_up(int socket, const char* interface) {
  auto request = request_for(interface);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  return ioctl(socket, SIOCSIFFLAGS, &request) == 0;
}

Result<void> make_tap() {
  const FileDescriptor tap(open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  if (!tap)
    return failed("/dev/net/tun");
  auto request = request_for(kTapName);
  request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
  // Persistent, because this descriptor is closed before QEMU attaches; it ends with the name space.
  if (ioctl(tap.get(), TUNSETIFF, &request) != 0 || ioctl(tap.get(), TUNSETPERSIST, 1) != 0)
    return failed(kTapName);
  const FileDescriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!set_up(any.get(), "lo") || !set_address(any.get(), SIOCSIFADDR, "10.0.2.2") ||
      !set_address(any.get(), SIOCSIFNETMASK, "255.255.255.0") || !set_up(any.get(), kTapName))
    return failed("setting it up");
  return {};
}

Result<FileDescriptor> own_network() {
  FileDescriptor network(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!network)
    return failed("/proc/thread-self/ns/net");
  return network;
}

} // namespace

Result<NetworkVisit> NetworkVisit::to_new_network() {
  auto outside = own_network();
  if (!outside)
    return outside.error();
  if (unshare(CLONE_NEWNET) != 0)
    return failed("a network name space");
  return NetworkVisit(std::move(*outside));
}

Result<NetworkVisit> NetworkVisit::to(const FileDescriptor& network) {
  auto outside = own_network();
  if (!outside)
    return outside.error();
  if (setns(network.get(), CLONE_NEWNET) != 0)
    return failed("entering its name space");
  return NetworkVisit(std::move(*outside));
}

NetworkVisit::~NetworkVisit() {
  if (outside_)
    setns(outside_.get(), CLONE_NEWNET);
}

Result<FileDescriptor> make_tap_network() {
  const auto visit = NetworkVisit::to_new_network();
  if (!visit)
    return visit.error();
  if (auto made = make_tap(); !made)
    return made.error();
  return own_network();
}

} // namespace ukl::bench
