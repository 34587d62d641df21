// SPDX-License-Identifier: GPL-2.0-only
// What Linux would measure of a translated machine's timers, and this host knows.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace ukl {

/// Whether this host's time-stamp counter, which the translator shows to its guests, goes on at one speed and
/// is the same on every CPU; false if /proc/cpuinfo does not say so.
bool counter_is_steady();

/// When this process began, after its libraries had been loaded.
std::chrono::steady_clock::time_point process_beginning();

/// Its speed in kHz, to about 20 parts in a million. Waits until 10 ms have passed since the process began.
std::uint64_t counter_kilohertz();

/// Linux's parameters for a machine of the translator's: the speed of its local APIC's timer and, if
/// `counter`, of its time-stamp counter, which is then Linux's clock.
std::vector<std::string> timer_parameters(bool counter);

} // namespace ukl
