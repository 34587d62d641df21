// SPDX-License-Identifier: GPL-2.0-only
// What one run adds to its image's manifest, as a block of bytes that every loader of kernels can carry: it
// is given as the initial ramdisk. The code at the image's entry (boot/slide.cpp) makes it a node of Linux's
// list setup_data (Documentation/x86/boot.rst) where it lies, so that Linux finds the image's own ramdisk,
// and the block is the file "data" below /sys/kernel/boot_params/setup_data for init. Header-only, like
// manifest.hpp.
#pragma once

#include "ukl/manifest.hpp"

#include <cstdint>
#include <cstring>
#include <optional>

namespace ukl {

/// The block's first bytes, which become Linux's struct setup_data (arch/x86/include/uapi/asm/bootparam.h).
struct RunSettingsHeader {
  std::uint64_t magic; ///< kRunSettingsMagic; then the next node's address
  std::uint32_t type;  ///< kRunSettingsType
  std::uint32_t size;  ///< bytes behind the header
};
inline constexpr std::uint64_t kRunSettingsMagic = 0x314e55524c4b55; // "UKLRUN1"
inline constexpr std::uint32_t kRunSettingsType = 0x524c4b55;        // "UKLR": no type of Linux's
inline constexpr const char* kSetupDataFolder = "/sys/kernel/boot_params/setup_data";

namespace key {
/// list: `MODE PATH\0CONTENTS`, MODE in octal: a file of this run, which replaces one of the image. Only in a
/// block.
inline constexpr std::string_view file = "file";
/// list: words before the program's: what is started in its place, and starts it.
inline constexpr std::string_view tracer = "tracer";
/// 1: say on the console what the control port would be told (kConsoleWordBegin), where there is none.
inline constexpr std::string_view console_status = "console-status";
/// 1: tell which files the program looks for and does not find (`missing` on the control port).
inline constexpr std::string_view find_files = "find-files";
/// list: `NAME\0CONTENTS`: a file below kSecretsFolder that the program alone may read. Only in a block.
inline constexpr std::string_view secret = "secret";
} // namespace key
/// `kConsoleWordBegin WORD kConsoleWordEnd` on the console: an application's own message (ECMA-48, 8.3.2:
/// APC), which no terminal shows. `ready`: what is typed from now on reaches the program; `status NUMBER`:
/// the program's, at the end.
inline constexpr std::string_view kConsoleWordBegin = "\x1b_ukl ", kConsoleWordEnd = "\x1b\\";
inline constexpr const char* kSecretsFolder = "/run/secrets";

/// Records as they stand behind the header: the length of `key=value` as 32 bits, the lowest byte first, and
/// these bytes. Unlike the manifest's, values may hold any bytes.
inline std::string encode_run_settings(const Manifest& settings) {
  std::string records;
  for (const auto& [name, value] : settings) {
    const auto length = static_cast<std::uint32_t>(name.size() + 1 + value.size());
    for (unsigned shift = 0; shift < 32; shift += 8)
      records += static_cast<char>(length >> shift & 0xff);
    records += name;
    records += '=';
    records += value;
  }
  const RunSettingsHeader header = {kRunSettingsMagic, kRunSettingsType,
                                    static_cast<std::uint32_t>(records.size())};
  std::string block(reinterpret_cast<const char*>(&header), sizeof header);
  return block + records;
}

/// The reverse, of what follows the header; nothing if the records are damaged.
inline std::optional<Manifest> decode_run_settings(std::string_view records) {
  Manifest settings;
  while (!records.empty()) {
    if (records.size() < 4)
      return std::nullopt;
    std::size_t length = 0;
    for (unsigned byte = 0; byte < 4; ++byte)
      length |= static_cast<std::size_t>(static_cast<unsigned char>(records[byte])) << (8 * byte);
    records.remove_prefix(4);
    if (length > records.size())
      return std::nullopt;
    const auto record = records.substr(0, length);
    const auto equals = record.find('=');
    if (equals == std::string_view::npos)
      return std::nullopt;
    settings.emplace_back(record.substr(0, equals), record.substr(equals + 1));
    records.remove_prefix(length);
  }
  return settings;
}

} // namespace ukl
