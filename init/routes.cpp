// SPDX-License-Identifier: GPL-2.0-only
#include "routes.hpp"

#include "ending.hpp"
#include "internet_address.hpp"
#include "settings.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <net/if.h>
#include <net/route.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// All addresses of a net: of a router alone, one.
struct Net {
  int family = AF_INET;
  in6_addr bytes = {}; // IPv4: the first four
  int length = 0;

  in_addr ipv4() const {
    in_addr address;
    memcpy(&address, &bytes, sizeof address);
    return address;
  }
  int bits() const { return family == AF_INET ? 32 : 128; }
  bool contains(const Net& other) const {
    const int whole = length / 8, rest = length % 8;
    const auto *ours = bytes.s6_addr, *theirs = other.bytes.s6_addr;
    return family == other.family && memcmp(ours, theirs, static_cast<std::size_t>(whole)) == 0 &&
           (rest == 0 || (ours[whole] ^ theirs[whole]) >> (8 - rest) == 0);
  }
};

// ADDRESS or ADDRESS/LENGTH; without a length it is one address.
Net parse_net(const std::string& text) {
  Net net;
  const auto slash = text.find('/');
  net.family = text.find(':') == std::string::npos ? AF_INET : AF_INET6;
  net.length = slash == std::string::npos ? net.bits() : atoi(text.c_str() + slash + 1);
  if (inet_pton(net.family, text.substr(0, slash).c_str(), &net.bytes) != 1 || net.length < 0 ||
      net.length > net.bits())
    fail("'" + text + "' is no address of a net");
  return net;
}

// `router`: null where the net lies at the interface itself.
bool add_ipv4(int fd, const char* interface, const Net& to, const Net* router) {
  rtentry route = {};
  const in_addr mask = {to.length == 0 ? 0 : htonl(UINT32_MAX << (32 - to.length))};
  std::string device = interface;
  in_addr net = to.ipv4();
  net.s_addr &= mask.s_addr; // Linux refuses a net with bits behind its prefix
  route.rt_dst = internet_address(net);
  route.rt_genmask = internet_address(mask);
  route.rt_dev = device.data();
  route.rt_flags = RTF_UP;
  if (router) {
    route.rt_gateway = internet_address(router->ipv4());
    route.rt_flags |= RTF_GATEWAY;
  }
  return ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST;
}

bool add_ipv6(int fd, const char* interface, const Net& to, const Net* router) {
  in6_rtmsg route = {};
  route.rtmsg_dst = to.bytes;
  route.rtmsg_dst_len = static_cast<std::uint16_t>(to.length);
  route.rtmsg_metric = 1;
  route.rtmsg_flags = RTF_UP;
  route.rtmsg_ifindex = static_cast<int>(if_nametoindex(interface));
  if (router) {
    route.rtmsg_gateway = router->bytes;
    route.rtmsg_flags |= RTF_GATEWAY;
  }
  return ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST;
}

void add_route(const char* interface, const std::string& to, const std::string& router) {
  const Net net = parse_net(to), gateway = router.empty() ? Net{} : parse_net(router);
  const int fd = socket(net.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto add = net.family == AF_INET ? add_ipv4 : add_ipv6;
  if (!add(fd, interface, net, router.empty() ? nullptr : &gateway))
    fail("cannot route to " + to + (router.empty() ? "" : " through " + router) + reason());
  close(fd);
}

bool is_of_link(const Net& address) {
  return address.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address.bytes);
}

// A router outside of the address's own net (where nets are single addresses) is reached over the interface
// first.
void reach_router(const char* interface, const std::string& address, const std::string& router) {
  const bool own = address.find('/') != std::string::npos;
  const Net gateway = parse_net(router);
  if (own && !parse_net(address).contains(gateway) && !is_of_link(gateway))
    add_route(interface, router, {});
}

} // namespace

void add_default_route(const char* interface, const std::string& address, const std::string& router) {
  reach_router(interface, address, router);
  add_route(interface, router.find(':') == std::string::npos ? "0.0.0.0/0" : "::/0", router);
}

void add_routes(const Manifest& settings, const char* interface, const std::string& address, bool ipv6) {
  if (const auto router = address_of(settings, key::gateway, ipv6); !router.empty())
    add_default_route(interface, address, router);
  for (const auto& route : values_of(settings, key::route)) {
    const auto equals = route.find('=');
    if ((route.find(':') != std::string::npos) != ipv6)
      continue;
    const auto router = equals == std::string::npos ? std::string() : route.substr(equals + 1);
    if (!router.empty())
      reach_router(interface, address, router);
    add_route(interface, route.substr(0, equals), router);
  }
}

} // namespace ukl::init
