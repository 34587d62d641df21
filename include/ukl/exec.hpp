// SPDX-License-Identifier: GPL-2.0-only
// What `ukl exec` and `ukl cp` and a machine's init say to each other: programs that run, and files that are
// read and written, beside the program that the machine exists for. On the virtio-serial port kExecPort
// (there with key::exec) many of them share the line, each with a number that the host chose, in frames: a
// Header and so many bytes. Header-only, because init includes it too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ukl::exec {

inline constexpr const char* kPort = "org.ukl.exec";

/// Little-endian, as both sides are.
struct Header {
  char kind = 0;
  std::uint8_t unused = 0;
  std::uint16_t number = 0; ///< which of them
  std::uint32_t size = 0;   ///< bytes that follow, at most kMostBytes
};
inline constexpr std::uint32_t kMostBytes = 32768;

/// Host to guest. kStart holds records as a manifest does (ukl/manifest.hpp) with these keys: `arg` (list),
/// `env` (list, over the machine's own), `cwd` and `user` (in place of the machine's), `terminal` (`ROWS
/// COLUMNS WIDTH HEIGHT`: the program gets one). Or one of: `get` PATH (the file's bytes are the output);
/// `put` PATH with `mode` (octal; the input becomes the file); `folder` PATH with `mode` (makes it);
/// `list` PATH (the output is a record `TYPE MODE SIZE PATH` for it and all below it, each ended by a NUL
/// byte; TYPE is f, d or l).
inline constexpr char kStart = 's';
inline constexpr char kInput = 'i';    ///< bytes of standard input
inline constexpr char kInputEnd = 'e'; ///< there are no more
inline constexpr char kSignal = 'k';   ///< its number, in decimal
inline constexpr char kWindow = 'w';   ///< the terminal's size, as in `terminal`
inline constexpr char kGone = 'g';     ///< nobody is interested any more: the program gets SIGHUP

/// Guest to host. kReady, of number 0: init reads the port.
inline constexpr char kReady = 'y';
inline constexpr char kOutput = 'o', kError = 'r'; ///< bytes of the two streams
inline constexpr char kEnd = 'x';                  ///< the status in decimal, last of all
inline constexpr char kRefused = 'f'; ///< it was not started: `STATUS TEXT` (126, 127, or 1 for files), last

/// Both ways: so many bytes, in decimal, of what the other side sent have been taken. Neither sends more than
/// kMostUntaken bytes that were not, so one that stalls fills nobody's memory and stops nobody else.
inline constexpr char kTaken = 't';
inline constexpr std::uint32_t kMostUntaken = 256 << 10;

inline std::string frame(char kind, std::uint16_t number, std::string_view bytes) {
  const Header header = {kind, 0, number, static_cast<std::uint32_t>(bytes.size())};
  std::string text(reinterpret_cast<const char*>(&header), sizeof header);
  text += bytes;
  return text;
}

/// Takes the first whole frame off `text` and calls `take(kind, number, bytes)`. False: none is whole. A size
/// that no frame has sets `wrong`.
template <typename Take> bool take_frame(std::string& text, bool& wrong, Take take) {
  Header header;
  if (text.size() < sizeof header)
    return false;
  __builtin_memcpy(&header, text.data(), sizeof header);
  wrong = header.size > kMostBytes;
  if (wrong || text.size() < sizeof header + header.size)
    return false;
  take(header.kind, header.number, std::string_view(text).substr(sizeof header, header.size));
  text.erase(0, sizeof header + header.size);
  return true;
}

} // namespace ukl::exec
