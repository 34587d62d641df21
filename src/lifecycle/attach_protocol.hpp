// SPDX-License-Identifier: GPL-2.0-only
// What `ukl attach` and whoever looks after a machine say to each other, in packets (support/packets.hpp)
// over the socket kSocket of the machine's folder.
#pragma once

namespace ukl::attach {

inline constexpr const char* kSocket = "attach";

/// To the machine: bytes of its standard input; there are no more of them; a signal, by its number.
inline constexpr char kInput = 'i', kInputEnd = 'e', kSignal = 's';
/// Of a terminal, to a machine that has one: it has joined, and wants what stands in the line of the cursor;
/// its size has changed. Both with the size, as window_size() has it with spaces.
inline constexpr char kJoin = 'j', kWindow = 'w';
/// From it: bytes of the two streams; `STATUS SENTENCE`, last of all.
inline constexpr char kOutput = 'o', kError = 'r', kEnd = 'x';

} // namespace ukl::attach
