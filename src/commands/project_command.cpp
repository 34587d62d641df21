// SPDX-License-Identifier: GPL-2.0-only
#include "commands/project_command.hpp"
#include "lifecycle/events.hpp"
#include "support/environment.hpp"
#include "support/places.hpp"

#include <cstdlib>

namespace ukl {

void add_project_options(CLI::App& command, ProjectOptions& options) {
  command.add_option("-f,--file", options.file, "The project's file (default: compose.yaml of this folder)")
      ->type_name("FILE");
  command
      .add_option("-p,--project", options.name,
                  "The project's name (default: what the file says, or that of its folder)")
      ->type_name("NAME");
}

Result<Project> open_project(const ProjectOptions& options) {
  std::filesystem::path file = options.file;
  if (file.empty()) {
    TRY_LET(file, find_project_file("."));
    file = file.lexically_normal();
  }
  TRY_LET(const auto places, read_places());
  return read_project(file, options.name, places.projects, environment_variable);
}

Result<std::vector<KnownMachine>> machines_of(const std::string& project) {
  TRY_LET(const auto places, read_places());
  auto machines = known_machines(places.machines);
  std::erase_if(machines, [&](const auto& machine) { return machine.plan.project != project; });
  return machines;
}

Result<void> end_and_remove(const KnownMachine& machine, std::chrono::milliseconds patience) {
  TRY(stop_machine(machine, patience));
  TRY(remove_record(machine));
  add_event(machine.folder.parent_path(), machine.plan.name, "removed");
  return {};
}

} // namespace ukl
