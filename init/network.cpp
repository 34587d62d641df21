// SPDX-License-Identifier: GPL-2.0-only
#include "network.hpp"

#include "ending.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// The numbers that Linux gives to interfaces begin at 1 and are not reused.
constexpr int kHighestInterface = 32;

sockaddr internet_address(in_addr address) {
  sockaddr_in internet = {};
  internet.sin_family = AF_INET;
  internet.sin_addr = address;
  sockaddr result;
  memcpy(&result, &internet, sizeof result);
  return result;
}

in_addr parse_address(const std::string& text) {
  in_addr address;
  if (inet_pton(AF_INET, text.c_str(), &address) != 1)
    fail("'" + text + "' is not an IPv4 address");
  return address;
}

ifreq request_for(const char* name) {
  ifreq request = {};
  strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  return request;
}

void bring_up(int fd, const char* name) {
  ifreq request = request_for(name);
  if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
    fail(std::string("no network interface ") + name + reason());
  request.ifr_flags |= IFF_UP;
  if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
    fail(std::string("cannot bring up ") + name + reason());
}

std::string first_interface(int fd) {
  for (int index = 1; index <= kHighestInterface; ++index) {
    ifreq request = {};
    request.ifr_ifindex = index;
    if (ioctl(fd, SIOCGIFNAME, &request) != 0)
      continue;
    const std::string name(request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ));
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
        !(request.ifr_flags & (IFF_LOOPBACK | IFF_POINTOPOINT | IFF_NOARP)))
      return name;
  }
  return {};
}

void set_address(int fd, const char* name, const std::string& address) {
  const auto slash = address.find('/');
  const int length = slash == std::string::npos ? -1 : atoi(address.c_str() + slash + 1);
  if (length < 1 || length > 32)
    fail("the address '" + address + "' needs a prefix length of 1 to 32, as in 10.0.2.15/24");
  ifreq request = request_for(name);
  request.ifr_addr = internet_address(parse_address(address.substr(0, slash)));
  if (ioctl(fd, SIOCSIFADDR, &request) != 0)
    fail("cannot give " + address + " to " + name + reason());
  request.ifr_netmask = internet_address({htonl(UINT32_MAX << (32 - length))});
  if (ioctl(fd, SIOCSIFNETMASK, &request) != 0)
    fail("cannot set the prefix of " + address + " on " + name + reason());
}

void add_default_route(int fd, const std::string& gateway) {
  rtentry route = {};
  route.rt_dst = internet_address({INADDR_ANY});
  route.rt_genmask = internet_address({INADDR_ANY});
  route.rt_gateway = internet_address(parse_address(gateway));
  route.rt_flags = RTF_UP | RTF_GATEWAY;
  if (ioctl(fd, SIOCADDRT, &route) != 0)
    fail("cannot route through the gateway " + gateway + reason());
}

in6_addr parse_address6(const std::string& text) {
  in6_addr address;
  if (inet_pton(AF_INET6, text.c_str(), &address) != 1)
    fail("'" + text + "' is not an IPv6 address");
  return address;
}

void write_setting(const std::string& path, const char* value) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, value, strlen(value)) < 0)
    fail("cannot write " + path + reason());
  close(fd);
}

int index_of(int fd, const char* name) {
  ifreq request = request_for(name);
  if (ioctl(fd, SIOCGIFINDEX, &request) != 0)
    fail(std::string("no network interface ") + name + reason());
  return request.ifr_ifindex;
}

// An address is of use at once: nobody else can have one that was given to this machine, and Linux would look
// for a second. Routers are not listened to, since the settings name one.
void choose_address6(const char* name) {
  const std::string folder = std::string("/proc/sys/net/ipv6/conf/") + name;
  write_setting(folder + "/accept_dad", "0");
  write_setting(folder + "/accept_ra", "0");
}

void set_address6(int fd, const char* name, const std::string& address) {
  const auto slash = address.find('/');
  const int length = slash == std::string::npos ? -1 : atoi(address.c_str() + slash + 1);
  if (length < 1 || length > 128)
    fail("the address '" + address + "' needs a prefix length of 1 to 128, as in fd00::2/64");
  in6_ifreq request = {};
  request.ifr6_addr = parse_address6(address.substr(0, slash));
  request.ifr6_prefixlen = static_cast<unsigned>(length);
  request.ifr6_ifindex = index_of(fd, name);
  if (ioctl(fd, SIOCSIFADDR, &request) != 0)
    fail("cannot give " + address + " to " + name + reason());
}

void add_default_route6(int fd, const char* name, const std::string& gateway) {
  in6_rtmsg route = {};
  route.rtmsg_gateway = parse_address6(gateway);
  route.rtmsg_metric = 1;
  route.rtmsg_flags = RTF_UP | RTF_GATEWAY;
  route.rtmsg_ifindex = index_of(fd, name);
  if (ioctl(fd, SIOCADDRT, &route) != 0)
    fail("cannot route through the gateway " + gateway + reason());
}

void set_mtu(int fd, const char* name, const std::string& mtu) {
  ifreq request = request_for(name);
  request.ifr_mtu = atoi(mtu.c_str());
  if (ioctl(fd, SIOCSIFMTU, &request) != 0)
    fail("cannot set the MTU of " + std::string(name) + " to " + mtu + reason());
}

void set_up_interface(const Manifest& settings, int fd, const char* name) {
  const std::string address = address_of(settings, key::address, false),
                    address6 = address_of(settings, key::address, true), mtu = value_of(settings, key::mtu);
  if (!mtu.empty())
    set_mtu(fd, name, mtu);
  if (!address.empty())
    set_address(fd, name, address);
  const int fd6 = address6.empty() ? -1 : socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (!address6.empty() && fd6 < 0)
    fail("cannot give " + address6 + " to " + name + reason());
  if (fd6 >= 0)
    choose_address6(name);
  bring_up(fd, name);
  if (const auto gateway = address_of(settings, key::gateway, false); !address.empty() && !gateway.empty())
    add_default_route(fd, gateway);
  if (fd6 < 0)
    return;
  set_address6(fd6, name, address6);
  if (const auto gateway = address_of(settings, key::gateway, true); !gateway.empty())
    add_default_route6(fd6, name, gateway);
  close(fd6);
}

} // namespace

void set_up_network(const Manifest& settings) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return; // a kernel without a network
  bring_up(fd, "lo");
  const std::string address = value_of(settings, key::address);
  const std::string name = address.empty() ? std::string() : first_interface(fd);
  if (!name.empty())
    set_up_interface(settings, fd, name.c_str());
  else if (!address.empty())
    say("no network interface: " + address + " is not in use");
  close(fd);
}

} // namespace ukl::init
