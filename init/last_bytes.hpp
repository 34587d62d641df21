// SPDX-License-Identifier: GPL-2.0-only
// What the program has written to TCP connections and Linux has not delivered yet.
#pragma once

#include <string_view>

namespace ukl::init {

/// The bytes that the other sides have not acknowledged, by a table of Linux's (/proc/net/tcp or tcp6). What
/// listens, or has never been connected, does not count.
unsigned long undelivered_bytes(std::string_view table);

/// Returns once nothing is undelivered: at once, if that is so. A side that acknowledges nothing for ten
/// seconds is given up, which is said.
void wait_for_delivery();

} // namespace ukl::init
