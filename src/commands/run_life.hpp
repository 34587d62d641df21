// SPDX-License-Identifier: GPL-2.0-only
// The part of `ukl run` that decides how long the machine lives, and whether it outlives us.
#pragma once

#include "commands/command.hpp"
#include "machine/run.hpp"

namespace ukl {

struct LifeOptions {
  bool detach = false, remove = false, interactive = false, terminal = false;
  std::string name, project, restart = "no", wait_ready, most_log = "10M";
};

/// Adds -d, --name, --project, --rm, --restart, --wait-ready, -i, -t and --log-max.
void add_life_options(CLI::App& command, LifeOptions& options);

/// What can be said of them before anything is started: what belongs to -d is an error without it. Error:
/// usage.
Result<void> check_life_options(const LifeOptions& options, const MachineOptions& machine);

/// Starts the machine as a process of its own, waits until it is ready, and prints its name. Errors: those of
/// MachineRecord::create and launch.
Result<int> run_detached(const LifeOptions& life, MachineOptions options, const Manifest& manifest);

/// Runs the machine in the foreground, with a record for as long as it runs; where none can be made and
/// nobody asked for a name, without. Errors: those of run_machine; name_in_use.
Result<MachineEnd> run_in_foreground(const LifeOptions& life, const MachineOptions& options,
                                     const Manifest& manifest);

} // namespace ukl
