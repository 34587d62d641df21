// SPDX-License-Identifier: GPL-2.0-only
#include "dhcp.hpp"

#include "ending.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <ctime>
#include <limits>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr std::uint16_t kServerPort = 67, kClientPort = 68;

// Seconds.
using Time = std::int64_t;
constexpr Time kNever = std::numeric_limits<Time>::max();
constexpr Time kFirstPatience = 1, kLongestPatience = 4, kShortestRenewal = 60;

// What is kept while the program runs.
struct Kept {
  int socket = -1;
  DhcpClient client;
  DhcpLease lease;
  Time ask_at = 0, ends_at = 0;
} kept;

Time now() {
  timespec time = {};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec;
}

int open_socket(const char* interface, HardwareAddress& hardware) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  ifreq request = {};
  strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  sockaddr_in own = {};
  own.sin_family = AF_INET;
  own.sin_port = htons(kClientPort);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) != 0 ||
      setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, static_cast<socklen_t>(strlen(interface))) !=
          0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      ioctl(fd, SIOCGIFHWADDR, &request) != 0)
    fail(std::string("cannot ask for an address on ") + interface + reason());
  memcpy(hardware.data(), request.ifr_hwaddr.sa_data, hardware.size());
  return fd;
}

// To all servers. What is lost, or cannot be sent while the link is not ready, is sent again.
void send_to_servers(int fd, const std::string& message) {
  sockaddr_in servers = {};
  servers.sin_family = AF_INET;
  servers.sin_port = htons(kServerPort);
  servers.sin_addr.s_addr = INADDR_BROADCAST;
  (void)sendto(fd, message.data(), message.size(), 0, reinterpret_cast<const sockaddr*>(&servers),
               sizeof servers);
}

DhcpAnswer take_answer(int fd, const DhcpClient& client, DhcpLease& lease) {
  char buffer[2048];
  const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
  return got < 0 ? DhcpAnswer::none : parse_dhcp({buffer, static_cast<std::size_t>(got)}, client, lease);
}

// The next answer of this kind, or a refusal, until that time; none if it has passed.
DhcpAnswer wait_for_answer(int fd, const DhcpClient& client, DhcpAnswer wanted, DhcpLease& lease,
                           Time until) {
  for (Time left; (left = until - now()) > 0;) {
    pollfd event = {fd, POLLIN, 0};
    if (poll(&event, 1, static_cast<int>(left * 1000)) <= 0)
      continue;
    const auto answer = take_answer(fd, client, lease);
    if (answer == wanted || answer == DhcpAnswer::refused)
      return answer;
  }
  return DhcpAnswer::none;
}

void keep(int fd, const DhcpClient& client, const DhcpLease& lease) {
  if (lease.seconds != UINT32_MAX) {
    kept = {fd, client, lease, now() + lease.renew_after, now() + lease.seconds};
    return;
  }
  close(fd); // for ever
  kept = {};
}

std::string text_of(in_addr address) {
  char text[INET_ADDRSTRLEN] = {};
  inet_ntop(AF_INET, &address, text, sizeof text);
  return text;
}

} // namespace

std::optional<DhcpLease> ask_dhcp(const char* interface, int seconds) {
  DhcpClient client;
  const int fd = open_socket(interface, client.hardware);
  const Time until = now() + seconds;
  for (Time patience = kFirstPatience; now() < until; patience = std::min(2 * patience, kLongestPatience)) {
    if (getrandom(&client.exchange, sizeof client.exchange, 0) != sizeof client.exchange)
      fail("no random numbers" + reason());
    DhcpLease lease;
    const Time next = std::min(until, now() + patience);
    send_to_servers(fd, dhcp_discover(client));
    if (wait_for_answer(fd, client, DhcpAnswer::offer, lease, next) != DhcpAnswer::offer)
      continue;
    send_to_servers(fd, dhcp_request(client, lease));
    if (wait_for_answer(fd, client, DhcpAnswer::acknowledged, lease, std::min(until, now() + patience)) !=
        DhcpAnswer::acknowledged)
      continue;
    keep(fd, client, lease);
    return lease;
  }
  close(fd);
  return std::nullopt;
}

int dhcp_descriptor() {
  return kept.socket;
}

int until_dhcp() {
  if (kept.socket < 0)
    return -1;
  const Time left = std::clamp<Time>(kept.ask_at - now(), 0, std::numeric_limits<int>::max() / 1000);
  return static_cast<int>(left * 1000);
}

void keep_dhcp_address() {
  if (kept.socket < 0)
    return;
  DhcpLease lease;
  const auto answer = take_answer(kept.socket, kept.client, lease);
  if (answer == DhcpAnswer::acknowledged && lease.address.s_addr == kept.lease.address.s_addr) {
    keep(kept.socket, kept.client, lease);
    return;
  }
  if (answer == DhcpAnswer::refused)
    say("the DHCP server does not give " + text_of(kept.lease.address) + " any more; it stays in use");
  if (now() < kept.ask_at)
    return;
  if (now() >= kept.ends_at) {
    say("no DHCP server has renewed " + text_of(kept.lease.address) + "; it stays in use");
    kept.ends_at = kNever;
  }
  send_to_servers(kept.socket, dhcp_renew(kept.client, kept.lease));
  // RFC 2131, section 4.4.5: after half of what is left, and not more often than once a minute.
  const Time left = kept.ends_at == kNever ? 0 : (kept.ends_at - now()) / 2;
  kept.ask_at = now() + std::max(kShortestRenewal, left);
}

} // namespace ukl::init
