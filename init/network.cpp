// SPDX-License-Identifier: GPL-2.0-only
#include "network.hpp"

#include "deadline.hpp"
#include "dhcp.hpp"
#include "ending.hpp"
#include "internet_address.hpp"
#include "routes.hpp"
#include "settings.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// The numbers that Linux gives to interfaces begin at 1 and are not reused.
constexpr int kHighestInterface = 32;

// How long the program waits for an address, seconds. A server in the next machine takes none of them; a
// switch that looks for loops, and a cloud that is busy, some.
constexpr int kPatience = 10;

// RFC 791. Less than that from a server is a mistake.
constexpr unsigned kLeastMtu = 576;

std::string text_of(in_addr address) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
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

std::string mac_of(int fd, const std::string& name) {
  ifreq request = request_for(name.c_str());
  if (ioctl(fd, SIOCGIFHWADDR, &request) != 0)
    return {};
  std::string text;
  for (int index = 0; index < 6; ++index) {
    const auto byte = static_cast<unsigned char>(request.ifr_hwaddr.sa_data[index]);
    if (index > 0)
      text += ':';
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// The first of those that have no card record, or the one with this MAC.
std::string find_interface(int fd, const std::vector<std::string>& cards, const std::string& mac = {}) {
  const auto is_wanted = [&](const std::string& name) {
    const auto own = mac_of(fd, name);
    if (!mac.empty())
      return own == mac;
    for (const auto& card : cards)
      if (card.substr(0, card.find(',')) == own)
        return false;
    return true;
  };
  for (int index = 1; index <= kHighestInterface; ++index) {
    ifreq request = {};
    request.ifr_ifindex = index;
    if (ioctl(fd, SIOCGIFNAME, &request) != 0)
      continue;
    const std::string name(request.ifr_name, strnlen(request.ifr_name, IFNAMSIZ));
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0 &&
        !(request.ifr_flags & (IFF_LOOPBACK | IFF_POINTOPOINT | IFF_NOARP)) && is_wanted(name))
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

void set_mtu(int fd, const char* name, const std::string& mtu) {
  ifreq request = request_for(name);
  request.ifr_mtu = atoi(mtu.c_str());
  if (ioctl(fd, SIOCSIFMTU, &request) != 0)
    fail("cannot set the MTU of " + std::string(name) + " to " + mtu + reason());
}

Manifest take_leased_address(const Manifest& settings, int fd, const char* name, bool routes) {
  const auto lease = ask_dhcp(name, kPatience);
  if (!lease) {
    say("no DHCP server has answered in " + std::to_string(kPatience) + " s: there is no IPv4 address");
    return {};
  }
  const auto address = text_of(lease->address) + "/" + std::to_string(lease->prefix);
  set_address(fd, name, address);
  if (lease->mtu >= kLeastMtu && value_of(settings, key::mtu).empty())
    set_mtu(fd, name, std::to_string(lease->mtu));
  if (routes && lease->router.s_addr != 0 && address_of(settings, key::gateway, false).empty())
    add_default_route(name, address, text_of(lease->router));
  Manifest learned;
  for (const auto& server : lease->dns)
    learned.emplace_back(key::dns, text_of(server));
  if (!lease->domain.empty())
    learned.emplace_back(key::search, lease->domain);
  return learned;
}

// Before the interface is up: Linux asks for routers then, and makes itself an address of what they say.
void listen_to_routers(const char* name) {
  const std::string folder = std::string("/proc/sys/net/ipv6/conf/") + name;
  write_setting(folder + "/accept_ra", "1");
  write_setting(folder + "/autoconf", "1");
}

// Waits on `news`, where Linux says that an interface has a new address, for one that others can reach.
void wait_for_address6(int news, const char* name) {
  const Deadline deadline(1000 * kPatience);
  while (!has_address6(read_whole("/proc/net/if_inet6"), name)) {
    char drained[8192];
    if (!deadline.wait(news, POLLIN)) {
      say("no router has answered in " + std::to_string(kPatience) + " s: there is no IPv6 address");
      return;
    }
    (void)recv(news, drained, sizeof drained, 0);
  }
}

int open_address_news() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  sockaddr_nl own = {};
  own.nl_family = AF_NETLINK;
  own.nl_groups = RTMGRP_IPV6_IFADDR;
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
    fail("cannot wait for an address" + reason());
  return fd;
}

// `news`: -1, or where to wait for an address that a router gives.
void set_up_ipv6(const Manifest& settings, const char* name, const std::string& address, int news) {
  if (address.empty())
    return;
  const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    fail("cannot give " + address + " to " + name + reason());
  if (news < 0)
    set_address6(fd, name, address);
  add_routes(settings, name, address, true);
  close(fd);
  if (news < 0)
    return;
  wait_for_address6(news, name);
  close(news);
}

Manifest set_up_interface(const Manifest& settings, int fd, const char* name, bool routes) {
  const std::string address = address_of(settings, key::address, false),
                    address6 = address_of(settings, key::address, true), mtu = value_of(settings, key::mtu);
  int news = -1;
  if (!mtu.empty())
    set_mtu(fd, name, mtu);
  if (!address.empty() && address != key::kDhcp)
    set_address(fd, name, address);
  if (address6 == key::kSlaac) {
    listen_to_routers(name);
    news = open_address_news();
  } else if (!address6.empty()) {
    choose_address6(name);
  }
  bring_up(fd, name);
  Manifest learned;
  if (address == key::kDhcp)
    learned = take_leased_address(settings, fd, name, routes);
  if (!address.empty())
    add_routes(settings, name, address, false);
  set_up_ipv6(settings, name, address6, news);
  return learned;
}

// A card record, without routes: those are the first card's.
Manifest set_up_card(const std::string& record, int fd) {
  auto end = std::min(record.find(','), record.size());
  const std::string mac = record.substr(0, end), name = find_interface(fd, {}, mac);
  if (name.empty())
    fail("there is no network interface " + mac);
  Manifest settings;
  while (end < record.size()) {
    const auto start = end + 1;
    end = std::min(record.find(',', start), record.size());
    settings.emplace_back(key::address, record.substr(start, end - start));
  }
  return set_up_interface(settings, fd, name.c_str(), false);
}

} // namespace

bool has_address6(const std::string& table, const std::string& interface) {
  // Linux: net/ipv6/addrconf.c, if6_seq_show: address, index, prefix, scope, flags, interface; in
  // hexadecimal.
  constexpr unsigned long kHost = 0x10, kLink = 0x20, kNotYet = IFA_F_TENTATIVE, kTwice = IFA_F_DADFAILED;
  for (const char* line = table.c_str(); *line != '\0';) {
    const char* at = line + strspn(line, "0123456789abcdef");
    unsigned long numbers[4] = {}; // index, prefix, scope, flags
    for (auto& number : numbers) {
      char* end = nullptr;
      number = strtoul(at, &end, 16);
      at = end;
    }
    const char* name = at + strspn(at, " ");
    const auto length = strcspn(name, " \n");
    if (interface == std::string_view(name, length) && numbers[2] != kHost && numbers[2] != kLink &&
        !(numbers[3] & (kNotYet | kTwice)))
      return true;
    line = strchrnul(name, '\n');
    line += *line == '\n';
  }
  return false;
}

Manifest set_up_network(const Manifest& settings) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return {}; // a kernel without a network
  bring_up(fd, "lo");
  const std::string address = value_of(settings, key::address);
  const auto cards = values_of(settings, key::card);
  const std::string name = address.empty() ? std::string() : find_interface(fd, cards);
  Manifest learned;
  if (!name.empty())
    learned = set_up_interface(settings, fd, name.c_str(), true);
  else if (!address.empty())
    say("no network interface: " + address + " is not in use");
  for (const auto& card : cards)
    for (auto& setting : set_up_card(card, fd))
      learned.push_back(std::move(setting));
  close(fd);
  return learned;
}

} // namespace ukl::init
