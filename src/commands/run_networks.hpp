// SPDX-License-Identifier: GPL-2.0-only
// `--network`, `--mac` and `--address` of `ukl run`: what a machine's network cards are connected to.
#pragma once

#include "commands/run_texts.hpp"
#include "machine/options.hpp"

namespace ukl {

/// Reads --network and --mac into `options`; addresses of the first card go into `guest`. Error: usage.
Result<void> read_networks(const RunTexts& texts, GuestSettings& guest, MachineOptions& options);

/// What follows for the settings of a machine that is not on QEMU's own network: no router and name server of
/// QEMU's.
void leave_user_network(const GuestSettings& guest, MachineOptions& options);

/// Takes places on networks with names. Errors: those of NetworkLease::take.
Result<void> join_networks(const std::string& name, const Manifest& image, MachineOptions& options);

/// check_host_network for each card. Errors: its own.
Result<void> check_cards(const MachineOptions& options);

} // namespace ukl
