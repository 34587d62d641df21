// SPDX-License-Identifier: GPL-2.0-only
// The manifest: what the tool tells an image's init, and the whole interface between the two. It stands in
// the root tree at kManifestPath as records `key=value`, each ended by a NUL byte; a key that may be given
// several times makes a list, in order. Header-only and free of the standard library's heavy parts, because
// init includes it too.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ukl {

inline constexpr const char* kManifestPath = "/.ukl/manifest";

/// Version of the manifest and of the image layout. Another one is refused by `ukl run` and `ukl inspect`.
inline constexpr const char* kImageFormat = "1";

/// Keys. `list` ones may be repeated.
namespace key {
inline constexpr std::string_view format = "format";   ///< kImageFormat
inline constexpr std::string_view argument = "arg";    ///< list: argv of the program; the first is its path
inline constexpr std::string_view environment = "env"; ///< list: NAME=value
inline constexpr std::string_view directory = "cwd";   ///< working directory
inline constexpr std::string_view user = "user";       ///< UID:GID to run as (numbers); absent: root
inline constexpr std::string_view hostname = "hostname";
inline constexpr std::string_view address =
    "address"; ///< IPv4 with prefix length: 10.0.2.15/24; absent: no network
inline constexpr std::string_view gateway = "gateway"; ///< IPv4
inline constexpr std::string_view dns = "dns"; ///< list: IPv4, written to /etc/resolv.conf if that is absent
inline constexpr std::string_view limit =
    "limit"; ///< list: NAME:SOFT:HARD, setrlimit(2); "nofile:65536:65536"
inline constexpr std::string_view sysctl = "sysctl"; ///< list: NAME:VALUE, sysctl(8); "net.core.busy_poll:50"
inline constexpr std::string_view volume = "volume"; ///< list: see below
inline constexpr std::string_view probe = "probe";   ///< 1: end with status 0 where the program would start
inline constexpr std::string_view profile = "profile"; ///< the kernel profile the image was made for
inline constexpr std::string_view kernel = "kernel";   ///< the kernel's cache hash
inline constexpr std::string_view syscall =
    "syscall"; ///< list: NUMBER:KIND, KIND one of full, direct, masked, shortcut
} // namespace key

/// Run-time additions come on the kernel's command line as words `ukl.KEY=VALUE`, with every byte of VALUE
/// that is not a letter, digit or one of `-._~/:=,` percent-encoded. `ukl.arg` replaces all arguments after
/// argv[0]; `ukl.env` and `ukl.volume` add to the manifest's; the others replace. A volume is `9p:TAG:PATH`,
/// `virtiofs:TAG:PATH` or `blk:DEVICE:PATH` (`blk:vda:/data`, ext4).
inline constexpr std::string_view kCommandLinePrefix = "ukl.";

/// The virtio-serial port between `ukl run` and init (found by this name under
/// /sys/class/virtio-ports/*/name). Host to guest: `signal NUMBER\n`. Guest to host: `started\n` when the
/// program runs, `signalled NUMBER\n` when it was sent that signal, `call NUMBER\n` at the end for each
/// system call that was made if the kernel traced them (kTracedCalls), and last of all `status NUMBER\n`, the
/// program's exit status or 128 + signal (125: init failed; 126: the program's file cannot be executed; 127:
/// it does not exist).
inline constexpr const char* kControlPort = "org.ukl.control";

/// With this parameter the kernel answers every system call and lists the numbers of those that were made,
/// one a line, in this file (kernel/files/arch/x86/ukl/masked_calls.c). Calls of init are not among them.
inline constexpr const char* kTraceParameter = "ukl_trace";
inline constexpr const char* kTracedCalls = "/proc/ukl_calls";

/// The port that is the program's standard input, if the machine has one: unlike the console it has an end.
inline constexpr const char* kInputPort = "org.ukl.input";

using Manifest = std::vector<std::pair<std::string, std::string>>;

/// The manifest as it stands in the root tree.
inline std::string encode_manifest(const Manifest& manifest) {
  std::string text;
  for (const auto& [name, value] : manifest) {
    text += name;
    text += '=';
    text += value;
    text += '\0';
  }
  return text;
}

/// The reverse. Records without `=` are dropped; so is a last record without its NUL.
inline Manifest decode_manifest(std::string_view text) {
  Manifest manifest;
  while (true) {
    const auto end = text.find('\0');
    if (end == std::string_view::npos)
      return manifest;
    const auto record = text.substr(0, end);
    const auto equals = record.find('=');
    if (equals != std::string_view::npos)
      manifest.emplace_back(record.substr(0, equals), record.substr(equals + 1));
    text.remove_prefix(end + 1);
  }
}

/// All values of one key, in order.
inline std::vector<std::string> values_of(const Manifest& manifest, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [record, value] : manifest)
    if (record == name)
      values.push_back(value);
  return values;
}

/// The last value of one key, or `otherwise`.
inline std::string value_of(const Manifest& manifest, std::string_view name, std::string otherwise = {}) {
  for (const auto& [record, value] : manifest)
    if (record == name)
      otherwise = value;
  return otherwise;
}

} // namespace ukl
