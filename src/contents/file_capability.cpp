// SPDX-License-Identifier: GPL-2.0-only
#include "contents/file_capability.hpp"

#include <array>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/xattr.h>

namespace ukl {

std::string file_capability(std::span<const std::uint8_t> value) {
  if (value.size() != XATTR_CAPS_SZ_2 && value.size() != XATTR_CAPS_SZ_3)
    return {};
  // Little-endian; the number of the revision is its last byte.
  constexpr std::size_t kRevision = 3;
  std::string text;
  for (std::size_t at = 0; at < XATTR_CAPS_SZ_2; ++at)
    text += fmt::format("{:02x}", at == kRevision ? VFS_CAP_REVISION_2 >> 24 : value[at]);
  return text;
}

std::string file_capability(const std::filesystem::path& file) {
  std::array<std::uint8_t, XATTR_CAPS_SZ_3> value;
  const auto size = getxattr(file.c_str(), "security.capability", value.data(), value.size());
  return size > 0 ? file_capability(std::span(value).first(static_cast<std::size_t>(size))) : std::string();
}

} // namespace ukl
