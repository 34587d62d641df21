// SPDX-License-Identifier: GPL-2.0-only
// How an image's system calls are entered (<ukl/gate.h>, UKL_CALL_*), as the user asks for it.
#pragma once

#include "support/result.hpp"
#include "ukl/manifest.hpp"

#include <string>
#include <vector>

namespace ukl {

/// `choices` are NAME:KIND or NUMBER:KIND, with `all` for every call; KIND is one of full, direct, masked,
/// shortcut. Later ones win. Returns records key::syscall, one per call, by number. Error: usage.
Result<Manifest> choose_call_kinds(const std::vector<std::string>& choices);

/// The choices that `--shortcut tcp` stands for: the calls that send and receive on a TCP socket.
std::vector<std::string> tcp_shortcut_choices();

} // namespace ukl
