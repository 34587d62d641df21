// SPDX-License-Identifier: GPL-2.0-only
// The clock follows the host's: at the start, since Linux has whole seconds from the machine's own clock at
// best, and after a pause of the machine. Under KVM the host's clock can be read (Linux's ptp_kvm); elsewhere
// `ukl run` is asked for it over the control port.
#pragma once

#include <cstdint>
#include <string_view>

namespace ukl::init {

/// Nanoseconds.
using Nanoseconds = std::int64_t;

/// What the clock lacks: `host` is what the host's clock showed at some time between `asked` and `answered`,
/// two readings of the monotonic clock; now the monotonic clock shows `monotonic` and the clock `clock`.
Nanoseconds clock_error(Nanoseconds host, Nanoseconds asked, Nanoseconds answered, Nanoseconds monotonic,
                        Nanoseconds clock);

/// How an error is mended. Small ones are no reason to disturb the program, middle ones are worked off by
/// letting the clock run slightly faster or slower, as ntpd(8) does, so that it never goes back.
enum class Correction { none, gradual, step };
Correction correction_for(Nanoseconds error, Nanoseconds uncertainty, bool at_start);

/// Sets the clock before the program starts; waits for the host's answer, but not for long. Call it when the
/// control port is open.
void set_clock();

/// The host says that the clock may be wrong (it sends `clock`): looks at once under KVM, else asks.
void check_clock();

/// The host's answer to a question of check_clock(): nanoseconds since 1970.
void on_host_time(Nanoseconds host);

/// In how many milliseconds check_clock() is to be called even if the host says nothing; -1: never.
int until_clock_check();

} // namespace ukl::init
