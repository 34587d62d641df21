// SPDX-License-Identifier: GPL-2.0-only
#include "network.hpp"

#include "ending.hpp"

#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
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

// O_EXCL: the root tree's own file wins. No /etc at all: the program does not care for names.
void write_if_absent(const char* path, const std::string& text) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0)
    return;
  if (write(fd, text.data(), text.size()) < 0)
    say(std::string("cannot write ") + path + reason());
  close(fd);
}

void write_names(const Manifest& settings, const std::string& hostname) {
  write_if_absent("/etc/hosts", "127.0.0.1 localhost " + hostname + "\n::1 localhost\n");
  std::string servers;
  for (const auto& server : values_of(settings, key::dns))
    servers += "nameserver " + server + "\n";
  if (!servers.empty())
    write_if_absent("/etc/resolv.conf", servers);
}

} // namespace

void set_up_network(const Manifest& settings) {
  const std::string hostname = value_of(settings, key::hostname, "ukl");
  if (sethostname(hostname.data(), hostname.size()) != 0)
    fail("cannot set the host name '" + hostname + "'" + reason());
  write_names(settings, hostname);

  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return; // a kernel without a network
  bring_up(fd, "lo");
  const std::string address = value_of(settings, key::address);
  const std::string name = address.empty() ? std::string() : first_interface(fd);
  if (!name.empty()) {
    set_address(fd, name.c_str(), address);
    bring_up(fd, name.c_str());
    const std::string gateway = value_of(settings, key::gateway);
    if (!gateway.empty())
      add_default_route(fd, gateway);
  } else if (!address.empty()) {
    say("no network interface: " + address + " is not in use");
  }
  close(fd);
}

} // namespace ukl::init
