// SPDX-License-Identifier: GPL-2.0-only
#include "image/guest_settings.hpp"
#include "support/signal_name.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <pwd.h>
#include <set>

namespace ukl {
namespace {

Error wrong(const std::string& option, const std::string& value, const std::string& form) {
  return {Failure::usage, fmt::format("{} {} is not understood", option, value), "expected: " + form};
}

bool is_number(const std::string& text, unsigned long most) {
  unsigned long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value <= most;
}

// AF_INET, AF_INET6, or neither.
int family_of(const std::string& address) {
  in6_addr parsed; // the larger of the two
  for (const int family : {AF_INET, AF_INET6})
    if (inet_pton(family, address.c_str(), &parsed) == 1)
      return family;
  return AF_UNSPEC;
}

bool is_hostname(const std::string& text) {
  return !text.empty() && text.size() <= 64 &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.'; });
}

// A host name made of a program's name, which may hold any bytes.
std::string hostname_from(std::string name) {
  std::ranges::replace_if(
      name, [](unsigned char c) { return !std::isalnum(c) || c > 127; }, '-');
  name = name.substr(0, 64);
  return name.find_first_not_of('-') == std::string::npos ? "ukl" : name;
}

constexpr const char* kNone = "none";

// UID:GID, if `user` is one of these or a number alone.
std::optional<std::string> user_numbers(const std::string& user) {
  constexpr auto most = UINT32_MAX - 1;
  const auto colon = user.find(':');
  const auto uid = user.substr(0, colon);
  const auto gid = colon == std::string::npos ? uid : user.substr(colon + 1);
  if (!is_number(uid, most) || !is_number(gid, most))
    return std::nullopt;
  return uid + ":" + gid;
}

Result<void> add_user(const std::string& user, CheckedSettings& checked) {
  if (user.empty())
    return {};
  if (const auto numbers = user_numbers(user)) {
    checked.manifest.emplace_back(key::user, *numbers);
    return {};
  }
  const passwd* known = user.find(':') == std::string::npos ? getpwnam(user.c_str()) : nullptr;
  if (!known)
    return wrong("--user", user, "UID:GID, or the name of a user of this machine");
  checked.manifest.emplace_back(key::user, fmt::format("{}:{}", known->pw_uid, known->pw_gid));
  if (known->pw_uid != 0)
    checked.passwd_line = fmt::format("{}:x:{}:{}::{}:{}", known->pw_name, known->pw_uid, known->pw_gid,
                                      known->pw_dir, known->pw_shell);
  return {};
}

// One record for each, or an empty one for "none".
Result<void> add_addresses(const char* option, std::string_view name, const std::vector<std::string>& values,
                           bool with_prefix, Manifest& manifest) {
  if (values == std::vector<std::string>{kNone}) {
    manifest.emplace_back(name, "");
    return {};
  }
  const bool several = name == key::dns;
  std::set<int> families;
  for (const auto& value : values) {
    const auto slash = value.find('/');
    const bool asked = with_prefix && (value == key::kDhcp || value == key::kSlaac);
    const int family = !asked ? family_of(value.substr(0, slash)) : value == key::kDhcp ? AF_INET : AF_INET6;
    const bool prefix = asked || (slash != std::string::npos &&
                                  is_number(value.substr(slash + 1), family == AF_INET ? 32 : 128) &&
                                  value.substr(slash + 1) != "0");
    if (family == AF_UNSPEC || prefix != with_prefix || (slash != std::string::npos && !with_prefix))
      return wrong(
          option, value,
          with_prefix
              ? "an address with its prefix length like 10.0.2.15/24 or fd00::2/64, dhcp, slaac, or none"
              : "an IPv4 or IPv6 address, or none");
    if (!families.insert(family).second && !several)
      return wrong(option, value, "one IPv4 address and one IPv6 address at most");
    manifest.emplace_back(name, value);
  }
  return {};
}

bool is_net(const std::string& text, int family) {
  const auto slash = text.find('/');
  return slash != std::string::npos && family_of(text.substr(0, slash)) == family &&
         is_number(text.substr(slash + 1), family == AF_INET ? 32 : 128);
}

Result<void> add_routes(const std::vector<std::string>& routes, Manifest& manifest) {
  for (const auto& route : routes) {
    const auto equals = route.find('=');
    const auto net = route.substr(0, equals);
    const int family = net.find(':') == std::string::npos ? AF_INET : AF_INET6;
    if (!is_net(net, family) ||
        (equals != std::string::npos && family_of(route.substr(equals + 1)) != family))
      return wrong("--route", route,
                   "NET/LENGTH=ROUTER like 10.8.0.0/16=10.0.2.7, or NET/LENGTH for one that needs no router");
    manifest.emplace_back(key::route, route);
  }
  return {};
}

Result<void> add_groups(const std::vector<std::string>& groups, Manifest& manifest) {
  for (const auto& group : groups) {
    if (!is_number(group, UINT32_MAX - 1))
      return wrong("--group-add", group, "the number of a group");
    manifest.emplace_back(key::group, group);
  }
  return {};
}

Result<void> add_network(const GuestSettings& settings, Manifest& manifest) {
  TRY(add_addresses("--address", key::address, settings.addresses, true, manifest));
  TRY(add_addresses("--gateway", key::gateway, settings.gateways, false, manifest));
  TRY(add_routes(settings.routes, manifest));
  TRY(add_addresses("--dns", key::dns, settings.dns, false, manifest));
  for (const auto& domain : settings.search) {
    if (!is_hostname(domain))
      return wrong("--dns-search", domain, "a domain like example.org");
    manifest.emplace_back(key::search, domain);
  }
  for (const auto& host : settings.hosts) {
    const auto colon = host.find(':');
    if (colon == std::string::npos || !is_hostname(host.substr(0, colon)) ||
        family_of(host.substr(colon + 1)) == AF_UNSPEC)
      return wrong("--add-host", host, "NAME:ADDRESS");
    manifest.emplace_back(key::host, host);
  }
  // RFC 791 and Linux's own bounds for a virtio device.
  if (settings.mtu != 0 && (settings.mtu < 68 || settings.mtu > 65535))
    return wrong("--mtu", fmt::format("{}", settings.mtu), "68 to 65535 bytes");
  if (settings.mtu != 0)
    manifest.emplace_back(key::mtu, fmt::format("{}", settings.mtu));
  return {};
}

Result<void> add_sysctls(const GuestSettings& settings, Manifest& manifest) {
  for (const auto& setting : settings.sysctls) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return wrong("--sysctl", setting, "NAME=VALUE");
    manifest.emplace_back(key::sysctl, setting.substr(0, equals) + ":" + setting.substr(equals + 1));
  }
  // Linux's own busy polling (Documentation/admin-guide/sysctl/net.rst): poll and epoll_wait, and blocking
  // reads.
  if (settings.poll_network > 0)
    for (const char* name : {"net.core.busy_poll", "net.core.busy_read"})
      manifest.emplace_back(key::sysctl, fmt::format("{}:{}", name, settings.poll_network));
  return {};
}

// A run publishes them, and `ukl stop` sends the signal.
Result<void> add_ports_and_signal(const GuestSettings& settings, Manifest& manifest) {
  for (const auto& port : settings.ports) {
    const auto slash = std::min(port.find('/'), port.size());
    const auto protocol = slash == port.size() ? "tcp" : port.substr(slash + 1);
    unsigned number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + slash, number);
    if (error != std::errc() || end != port.data() + slash || number == 0 || number > UINT16_MAX ||
        (protocol != "tcp" && protocol != "udp"))
      return Error{Failure::usage, fmt::format("'{}' is no port", port), "write 80, 80/tcp or 53/udp"};
    manifest.emplace_back(key::port, fmt::format("{}/{}", number, protocol));
  }
  if (!settings.stop_signal.empty()) {
    TRY_LET(const int signal, parse_signal(settings.stop_signal));
    manifest.emplace_back(key::stop_signal, fmt::format("{}", signal));
  }
  return {};
}

Result<void> add_limits(const std::vector<std::string>& limits, Manifest& manifest) {
  // The names of limits.conf(5), as init/limits.cpp knows them.
  static const std::vector<std::string> names = {
      "as",   "core",   "cpu",   "data", "fsize",  "locks",  "memlock",    "msgqueue",
      "nice", "nofile", "nproc", "rss",  "rtprio", "rttime", "sigpending", "stack"};
  for (const auto& limit : limits) {
    const auto equals = limit.find('=');
    const auto name = limit.substr(0, equals);
    const auto values = equals == std::string::npos ? "" : limit.substr(equals + 1);
    const auto colon = values.find(':');
    const auto soft = values.substr(0, colon);
    const auto hard = colon == std::string::npos ? soft : values.substr(colon + 1);
    const auto is_value = [](const std::string& text) {
      return text == "unlimited" || is_number(text, UINT64_MAX);
    };
    if (std::ranges::find(names, name) == names.end() || !is_value(soft) || !is_value(hard))
      return wrong("--limit", limit,
                   fmt::format("NAME=SOFT[:HARD], each a number or unlimited, NAME one of {}",
                               fmt::join(names, ", ")));
    manifest.emplace_back(key::limit, fmt::format("{}:{}:{}", name, soft, hard));
  }
  return {};
}

// Where QEMU's user network has its router (2) and its name server (3) in the network of an address, unless
// that address is taken; empty for a network too small for them.
std::string qemus_address(const std::string& address, std::uint8_t number) {
  const auto slash = address.find('/');
  const auto own = address.substr(0, slash);
  const int family = family_of(own);
  const std::size_t size = family == AF_INET ? 4 : 16;
  unsigned prefix = 0;
  std::from_chars(address.data() + slash + 1, address.data() + address.size(), prefix);
  std::array<std::uint8_t, 16> bytes = {};
  if (family == AF_UNSPEC || inet_pton(family, own.c_str(), bytes.data()) != 1 || prefix + 3 > 8 * size)
    return {};
  for (std::size_t bit = prefix; bit < 8 * size; ++bit)
    bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80 >> bit % 8));
  bytes[size - 1] |= number;
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(family, bytes.data(), text, sizeof text);
  return text == own ? std::string() : text;
}

// Whoever chooses an address and no router, or no name server, gets QEMU's in that network.
void complete_network(GuestSettings& settings) {
  if (settings.addresses == std::vector<std::string>{kNone})
    return;
  const bool no_gateway = settings.gateways.empty(), no_dns = settings.dns.empty();
  for (const auto& address : settings.addresses) {
    if (const auto gateway = qemus_address(address, 2); no_gateway && !gateway.empty())
      settings.gateways.push_back(gateway);
    if (const auto dns = qemus_address(address, 3); no_dns && !dns.empty())
      settings.dns.push_back(dns);
  }
}

// What an image and a run have in common.
Result<void> add_given(const GuestSettings& settings, Manifest& manifest) {
  for (const auto& variable : settings.environment) {
    if (variable.find('=') == std::string::npos || variable.starts_with('='))
      return wrong("--env", variable, "NAME=value");
    manifest.emplace_back(key::environment, variable);
  }
  if (!settings.directory.empty() && !settings.directory.starts_with('/'))
    return wrong("--cwd", settings.directory, "an absolute path");
  if (!settings.directory.empty())
    manifest.emplace_back(key::directory, settings.directory);
  if (!settings.hostname.empty() && !is_hostname(settings.hostname))
    return wrong("--hostname", settings.hostname, "at most 64 letters, digits, - and .");
  if (!settings.hostname.empty())
    manifest.emplace_back(key::hostname, settings.hostname);
  if (!settings.cloud.empty())
    manifest.emplace_back(key::cloud, settings.cloud);
  TRY(add_groups(settings.groups, manifest));
  TRY(add_network(settings, manifest));
  TRY(add_limits(settings.limits, manifest));
  TRY(add_ports_and_signal(settings, manifest));
  return add_sysctls(settings, manifest);
}

} // namespace

Result<CheckedSettings> check_settings(const GuestSettings& asked, const std::string& program_name) {
  GuestSettings settings = asked;
  if (settings.directory.empty())
    settings.directory = "/";
  if (settings.hostname.empty())
    settings.hostname = hostname_from(program_name);
  if (settings.addresses.empty())
    settings.addresses = {"10.0.2.15/24"};
  complete_network(settings);
  CheckedSettings checked;
  TRY(add_given(settings, checked.manifest));
  // An image has no other one's settings to take away.
  std::erase_if(checked.manifest, [](const auto& record) { return record.second.empty(); });
  TRY(add_user(settings.user, checked));
  return checked;
}

Result<Manifest> check_run_settings(const GuestSettings& asked) {
  GuestSettings settings = asked;
  complete_network(settings);
  Manifest manifest;
  TRY(add_given(settings, manifest));
  // Without an address, the image's gateway and name servers lead nowhere.
  if (settings.addresses == std::vector<std::string>{kNone})
    for (const auto name : {key::gateway, key::route, key::dns})
      if (values_of(manifest, name).empty())
        manifest.emplace_back(name, "");
  if (!settings.user.empty()) {
    const auto numbers = user_numbers(settings.user);
    if (!numbers && (settings.user.find(':') != std::string::npos || is_number(settings.user, UINT64_MAX)))
      return wrong("--user", settings.user, "UID:GID, UID, or the name of a user of the image");
    manifest.emplace_back(key::user, numbers.value_or(settings.user));
  }
  return manifest;
}

} // namespace ukl
