// SPDX-License-Identifier: GPL-2.0-only
// How system calls are entered: one byte for each number, in the tool as in the kernel (<ukl/gate.h>). As
// text it stands only in the manifest and on the command line.
#pragma once

#include "support/result.hpp"
#include "ukl/gate.h"
#include "ukl/manifest.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace ukl {

/// What the kernel knows of one call.
enum class CallKind : std::uint8_t {
  standard = UKL_CALL_DEFAULT, ///< as the kernel enters it by itself
  full = UKL_CALL_FULL,        ///< with all of pt_regs, as the SYSCALL instruction enters it
  direct = UKL_CALL_DIRECT,    ///< with a few registers
  masked = UKL_CALL_MASKED,    ///< not at all: -ENOSYS
  shortcut = UKL_CALL_SHORTCUT ///< straight into the TCP socket
};

/// The kernel's table ukl_image_calls: by number. Those from UKL_GATE_CALLS on are no calls.
using CallTable = std::array<CallKind, UKL_GATE_ENTRIES>;

/// "default", "full", "direct", "masked" or "shortcut".
std::string_view kind_name(CallKind kind);

/// The reverse.
std::optional<CallKind> parse_kind(std::string_view name);

/// The calls that have a shortcut: those that send and receive on a TCP socket.
std::span<const std::uint32_t> shortcut_calls();

/// The manifest's records key::syscall of a table, by number: all that are not entered as usual.
Manifest call_records(const CallTable& table);

/// The reverse; of a number that is named twice the last record holds. Error: not_an_image (records that
/// nobody wrote so).
Result<CallTable> read_calls(const Manifest& manifest);

} // namespace ukl
