// SPDX-License-Identifier: GPL-2.0-only
// What `ukl up` and `ukl down` share.
#pragma once

#include "commands/lifecycle_command.hpp"
#include "lifecycle/project.hpp"

namespace ukl {

struct ProjectOptions {
  std::string file, name;
};

/// Adds -f and -p.
void add_project_options(CLI::App& command, ProjectOptions& options);

/// Reads the file that they name, or the one of this folder. Errors: those of read_project.
Result<Project> open_project(const ProjectOptions& options);

/// Those of a project, oldest first.
Result<std::vector<KnownMachine>> machines_of(const std::string& project);

/// Ends a machine and forgets it. Errors: interrupted, unwritable.
Result<void> end_and_remove(const KnownMachine& machine, std::chrono::milliseconds patience);

} // namespace ukl
