// SPDX-License-Identifier: GPL-2.0-only
// Whether the machine can be switched off at all.
#pragma once

#include <string>
#include <vector>

namespace ukl::init {

/// Whether Linux finds a way to switch off in these ACPI tables, as in its acpi_sleep_state_supported() for
/// S5: one of the `definitions` (DSDT and SSDTs) has the object _S5_, and hardware-reduced ACPI names the
/// sleep registers in its `fadt`.
bool has_soft_off(const std::string& fadt, const std::vector<std::string>& definitions);

/// The same for this machine; false without ACPI, true on Xen. Where it is false, reboot(RB_POWER_OFF) halts
/// for ever.
bool can_switch_off();

} // namespace ukl::init
