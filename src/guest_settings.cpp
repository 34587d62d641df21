// SPDX-License-Identifier: GPL-2.0-only
#include "guest_settings.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <pwd.h>

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

bool is_ipv4(const std::string& text) {
  in_addr address;
  return inet_pton(AF_INET, text.c_str(), &address) == 1;
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

Result<void> add_user(const std::string& user, CheckedSettings& checked) {
  if (user.empty())
    return {};
  constexpr auto most = UINT32_MAX - 1;
  const auto colon = user.find(':');
  const auto uid = user.substr(0, colon);
  const auto gid = colon == std::string::npos ? uid : user.substr(colon + 1);
  if (is_number(uid, most) && is_number(gid, most)) {
    checked.manifest.emplace_back(key::user, uid + ":" + gid);
    return {};
  }
  const passwd* known = colon == std::string::npos ? getpwnam(user.c_str()) : nullptr;
  if (!known)
    return wrong("--user", user, "UID:GID, or the name of a user of this machine");
  checked.manifest.emplace_back(key::user, fmt::format("{}:{}", known->pw_uid, known->pw_gid));
  if (known->pw_uid != 0)
    checked.passwd_line = fmt::format("{}:x:{}:{}::{}:{}", known->pw_name, known->pw_uid, known->pw_gid,
                                      known->pw_dir, known->pw_shell);
  return {};
}

Result<void> add_network(const GuestSettings& settings, CheckedSettings& checked) {
  if (settings.address == "none")
    return {};
  const auto slash = settings.address.find('/');
  if (slash == std::string::npos || !is_ipv4(settings.address.substr(0, slash)) ||
      !is_number(settings.address.substr(slash + 1), 32))
    return wrong("--address", settings.address,
                 "an IPv4 address with its prefix length like 10.0.2.15/24, or none");
  checked.manifest.emplace_back(key::address, settings.address);
  if (!settings.gateway.empty() && settings.gateway != "none") {
    if (!is_ipv4(settings.gateway))
      return wrong("--gateway", settings.gateway, "an IPv4 address, or none");
    checked.manifest.emplace_back(key::gateway, settings.gateway);
  }
  checked.dns = settings.dns.empty() ? std::vector<std::string>{"10.0.2.3"} : settings.dns;
  for (const auto& server : checked.dns) {
    if (!is_ipv4(server))
      return wrong("--dns", server, "an IPv4 address");
    checked.manifest.emplace_back(key::dns, server);
  }
  return {};
}

Result<void> add_sysctls(const GuestSettings& settings, CheckedSettings& checked) {
  for (const auto& setting : settings.sysctls) {
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0)
      return wrong("--sysctl", setting, "NAME=VALUE");
    checked.manifest.emplace_back(key::sysctl, setting.substr(0, equals) + ":" + setting.substr(equals + 1));
  }
  // Linux's own busy polling (Documentation/admin-guide/sysctl/net.rst): poll and epoll_wait, and blocking
  // reads.
  if (settings.poll_network > 0)
    for (const char* name : {"net.core.busy_poll", "net.core.busy_read"})
      checked.manifest.emplace_back(key::sysctl, fmt::format("{}:{}", name, settings.poll_network));
  return {};
}

Result<void> add_limits(const std::vector<std::string>& limits, CheckedSettings& checked) {
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
    checked.manifest.emplace_back(key::limit, fmt::format("{}:{}:{}", name, soft, hard));
  }
  return {};
}

} // namespace

Result<CheckedSettings> check_settings(const GuestSettings& settings, const std::string& program_name) {
  CheckedSettings checked;
  for (const auto& variable : settings.environment) {
    if (variable.find('=') == std::string::npos || variable.starts_with('='))
      return wrong("--env", variable, "NAME=value");
    checked.manifest.emplace_back(key::environment, variable);
  }
  if (!settings.directory.starts_with('/'))
    return wrong("--cwd", settings.directory, "an absolute path");
  checked.manifest.emplace_back(key::directory, settings.directory);
  if (auto added = add_user(settings.user, checked); !added)
    return added.error();
  if (!settings.hostname.empty() && !is_hostname(settings.hostname))
    return wrong("--hostname", settings.hostname, "at most 64 letters, digits, - and .");
  checked.hostname = settings.hostname.empty() ? hostname_from(program_name) : settings.hostname;
  checked.manifest.emplace_back(key::hostname, checked.hostname);
  if (auto added = add_network(settings, checked); !added)
    return added.error();
  if (auto added = add_limits(settings.limits, checked); !added)
    return added.error();
  if (auto added = add_sysctls(settings, checked); !added)
    return added.error();
  return checked;
}

} // namespace ukl
