// SPDX-License-Identifier: GPL-2.0-only
// What the subcommands for machines that run by themselves share.
#pragma once

#include "commands/command.hpp"
#include "lifecycle/record.hpp"

namespace ukl {

/// Adds the argument NAME, which may be repeated.
void add_machine_names(CLI::App& command, std::vector<std::string>& names);

/// Does something to each of these machines, and prints its name once that is done. Goes on after an error,
/// and returns the first.
Result<int> for_each_machine(const std::vector<std::string>& names,
                             const std::function<Result<void>(const KnownMachine&)>& work);

/// The machine of that name. Error: no_such_machine.
Result<KnownMachine> find_machine(const std::string& name);

/// Ends a machine for good: its program gets SIGTERM, or the signal that its image names, and after
/// `patience` the machine is killed. Error: interrupted.
Result<void> stop_machine(const KnownMachine& machine, std::chrono::milliseconds patience);

/// For a machine that has ended: what `ukl run` would have returned.
int status_of(const KnownMachine& machine);

} // namespace ukl
