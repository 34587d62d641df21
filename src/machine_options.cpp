// SPDX-License-Identifier: GPL-2.0-only
#include "machine_options.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <fstream>

namespace ukl {
namespace {

// The mark of ext2, ext3 and ext4 (Linux's fs/ext4/ext4.h: EXT4_SUPER_MAGIC in the superblock at 1024 bytes).
bool holds_ext4(const std::filesystem::path& disk) {
  std::ifstream file(disk, std::ios::binary);
  unsigned char mark[2] = {};
  file.seekg(1024 + 0x38);
  file.read(reinterpret_cast<char*>(mark), sizeof mark);
  return file && mark[0] == 0x53 && mark[1] == 0xef;
}

// A decimal number that fills the whole text.
template <typename T> bool parse_number(std::string_view text, T& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

Error bad_forward(const std::string& text, const std::string& why) {
  return Error{
      Failure::usage, fmt::format("cannot forward the port '{}': {}", text, why),
      "write -p HOST:GUEST or -p ADDRESS:HOST:GUEST, with /udp behind it for UDP; for example -p 8080:80"};
}

} // namespace

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
    in_addr address;
    if (inet_pton(AF_INET, forward.host_address.c_str(), &address) != 1)
      return bad_forward(text, fmt::format("'{}' is not an IPv4 address", forward.host_address));
  }
  if (!parse_number(rest, forward.host_port) || forward.host_port == 0)
    return bad_forward(text, fmt::format("'{}' is not a port", rest));
  return forward;
}

Result<Volume> parse_volume(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 >= text.size() || text[colon + 1] != '/')
    return Error{
        Failure::usage,
        fmt::format("cannot attach the volume '{}': it needs a host path and an absolute guest path", text),
        "write --volume HOST:GUEST, for example --volume ./data:/var/lib/redis"};
  Volume volume{text.substr(0, colon), text.substr(colon + 1)};
  std::error_code error;
  const auto status = std::filesystem::status(volume.host, error);
  if (!std::filesystem::exists(status))
    return Error{
        Failure::not_found,
        fmt::format("cannot attach the volume {}: there is no such folder or file", volume.host.string()),
        fmt::format("make it first: mkdir -p {}", volume.host.string())};
  if (!std::filesystem::is_directory(status) && !std::filesystem::is_regular_file(status) &&
      !std::filesystem::is_block_file(status))
    return Error{
        Failure::usage,
        fmt::format("cannot attach the volume {}: it is neither a folder nor a disk", volume.host.string()),
        ""};
  if (!std::filesystem::is_directory(status) && !holds_ext4(volume.host))
    return Error{
        Failure::usage,
        fmt::format("cannot attach the volume {}: it holds no ext4 file system", volume.host.string()),
        fmt::format("make one, which erases what it holds: mkfs.ext4 {}", volume.host.string())};
  volume.host = std::filesystem::absolute(volume.host, error);
  return volume;
}

} // namespace ukl
