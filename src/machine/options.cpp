// SPDX-License-Identifier: GPL-2.0-only
#include "machine/options.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cmath>
#include <fmt/format.h>

namespace ukl {
namespace {

// A decimal number that fills the whole text.
template <typename T> bool parse_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Error bad_forward(const std::string& text, const std::string& why) {
  return Error{
      Failure::usage, fmt::format("cannot forward the port '{}': {}", text, why),
      "write -p HOST:GUEST or -p ADDRESS:HOST:GUEST, with /udp behind it for UDP; for example -p 8080:80, "
      "-p [::1]:8080:80, -p 0:80 for any free port, -p 8000-8009:8000-8009"};
}

} // namespace

std::string Forward::host() const {
  return fmt::format(fmt::runtime(ipv6() ? "[{}]:{}" : "{}:{}"), host_address, host_port);
}

Result<std::uint64_t> parse_size(const std::string& text) {
  unsigned shift = 20;
  std::string_view digits = text;
  if (!digits.empty()) {
    const auto unit = std::string_view("KMG").find(static_cast<char>(digits.back() & ~0x20));
    const bool is_letter = digits.back() >= 'A';
    if (is_letter && unit != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(unit) + 1);
      digits.remove_suffix(1);
    }
  }
  std::uint64_t number = 0;
  if (!parse_number(digits, number) || number == 0 || number > (UINT64_MAX >> shift))
    return Error{Failure::usage, fmt::format("'{}' is not a size", text),
                 "write for example -m 64M or -m 1G"};
  return number << shift;
}

Result<MemoryFolder> parse_memory_folder(const std::string& text) {
  const auto colon = text.rfind(':');
  MemoryFolder folder;
  folder.path = text.substr(0, colon);
  if (!folder.path.starts_with('/') || folder.path == "/")
    return Error{Failure::usage, fmt::format("--tmpfs {}: '{}' is no absolute path", text, folder.path),
                 "write --tmpfs PATH or --tmpfs PATH:SIZE, for example --tmpfs /tmp:64M"};
  if (colon != std::string::npos) {
    TRY_LET(folder.most, parse_size(text.substr(colon + 1)));
  }
  return folder;
}

Result<std::optional<std::chrono::milliseconds>> parse_timeout(const std::string& text) {
  constexpr double most = 1e9; // seconds, 31 years
  double seconds = 0;
  if (!parse_number(text, seconds) || !(seconds > 0))
    return Error{Failure::usage, fmt::format("'{}' is not a time", text),
                 "write a number of seconds above 0, for example --timeout 2.5"};
  if (seconds > most)
    return std::optional<std::chrono::milliseconds>();
  return std::optional(std::chrono::milliseconds(static_cast<long long>(std::ceil(seconds * 1000))));
}

Result<Forward> parse_forward(const std::string& text) {
  Forward forward;
  std::string_view rest = text;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    forward.protocol = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
    if (forward.protocol != "tcp" && forward.protocol != "udp")
      return bad_forward(text, fmt::format("'{}' is neither tcp nor udp", forward.protocol));
  }
  const auto last = rest.rfind(':');
  if (last == std::string_view::npos)
    return bad_forward(text, "it needs two ports");
  if (!parse_number(rest.substr(last + 1), forward.guest_port) || forward.guest_port == 0)
    return bad_forward(text, fmt::format("'{}' is not a port", rest.substr(last + 1)));
  rest = rest.substr(0, last);
  if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    forward.host_address = rest.substr(0, colon);
    rest = rest.substr(colon + 1);
    const bool bracketed = forward.host_address.starts_with('[') && forward.host_address.ends_with(']');
    if (bracketed)
      forward.host_address = forward.host_address.substr(1, forward.host_address.size() - 2);
    in6_addr address; // the larger of the two
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, forward.host_address.c_str(), &address) != 1)
      return bad_forward(
          text, fmt::format("'{}' is not an {} address", forward.host_address, bracketed ? "IPv6" : "IPv4"));
  }
  if (!parse_number(rest, forward.host_port))
    return bad_forward(text, fmt::format("'{}' is not a port", rest));
  return forward;
}

namespace {

// `A-B`, or `A` for A-A.
bool parse_range(std::string_view text, unsigned& first, unsigned& last) {
  const auto dash = text.find('-');
  if (!parse_number(text.substr(0, dash), first))
    return false;
  last = first;
  return dash == std::string_view::npos || (parse_number(text.substr(dash + 1), last) && last >= first);
}

} // namespace

std::vector<Forward> forwards_of(const Manifest& image) {
  std::vector<Forward> forwards;
  for (const auto& port : values_of(image, key::port))
    if (auto forward = parse_forward("0:" + port))
      forwards.push_back(std::move(*forward));
  return forwards;
}

Result<std::vector<Forward>> parse_forwards(const std::string& text) {
  if (text.find('-') == std::string::npos) {
    TRY_LET(auto one, parse_forward(text));
    return std::vector<Forward>{std::move(one)};
  }
  const auto slash = std::min(text.find('/'), text.size());
  const auto middle = text.rfind(':', slash);
  const auto before = middle == std::string::npos || middle == 0 ? middle : text.rfind(':', middle - 1);
  const auto host_at = before == std::string::npos ? 0 : before + 1;
  unsigned host = 0, last_host = 0, guest = 0, last_guest = 0;
  if (middle == std::string::npos || middle < host_at ||
      !parse_range(std::string_view(text).substr(host_at, middle - host_at), host, last_host) ||
      !parse_range(std::string_view(text).substr(middle + 1, slash - middle - 1), guest, last_guest) ||
      last_host > UINT16_MAX || last_guest > UINT16_MAX)
    return bad_forward(text, "its ranges are not understood");
  if (host == 0 || last_host - host != last_guest - guest)
    return bad_forward(text, "its ranges differ in length");
  std::vector<Forward> forwards;
  for (; host <= last_host; ++host, ++guest) {
    TRY_LET(auto one, parse_forward(fmt::format("{}{}:{}{}", text.substr(0, host_at), host, guest,
                                                text.substr(slash))));
    forwards.push_back(std::move(one));
  }
  return forwards;
}

} // namespace ukl
