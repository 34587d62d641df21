// SPDX-License-Identifier: GPL-2.0-only
// `ukl down`: ends the machines of a project.
#include "commands/project_command.hpp"
#include "lifecycle/project_files.hpp"
#include "machine/named_volumes.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"

#include <algorithm>
#include <memory>

namespace ukl {
namespace {

using std::chrono::milliseconds;

struct Options {
  ProjectOptions project;
  std::optional<double> seconds;
  bool volumes = false;
};

milliseconds patience_with(const KnownMachine& machine, const std::optional<Project>& project,
                           const Options& options) {
  if (options.seconds)
    return milliseconds(static_cast<long long>(*options.seconds * 1000));
  if (project)
    for (const auto& service : project->services)
      if (service.machine == machine.plan.name)
        return service.stop_patience;
  return milliseconds(10000);
}

Result<void> remove_volumes(const Project& project) {
  TRY_LET(const auto places, read_places());
  const auto known = named_volumes(places.volumes);
  for (const auto& volume : project.volumes)
    if (!volume.external && std::ranges::find(known, volume.volume, &NamedVolume::name) != known.end())
      TRY(remove_volume(places.volumes, volume.volume));
  for (const auto& volume : project.volumes) {
    std::error_code failure;
    if (!volume.folder.empty() && volume.ours)
      std::filesystem::remove_all(volume.folder, failure);
    if (failure)
      return file_error(volume.folder, "remove", failure.value());
  }
  return {};
}

Result<int> run(const Options& options) {
  // A name is enough, wherever we are and whatever the file has become.
  std::optional<Project> project;
  if (options.project.name.empty() || !options.project.file.empty() || options.volumes) {
    TRY_LET(project, open_project(options.project));
  }
  const auto& name = project ? project->name : options.project.name;
  TRY_LET(const auto machines, machines_of(name));
  catch_interrupts();
  // The last one first: it may need the others to end in order.
  for (auto machine = machines.rbegin(); machine != machines.rend(); ++machine) {
    TRY(end_and_remove(*machine, patience_with(*machine, project, options)));
    print_output(machine->plan.name + "\n");
  }
  if (project)
    remove_contents(*project);
  if (options.volumes)
    TRY(remove_volumes(*project));
  return 0;
}

void add_down(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("down", "End and remove the machines of a project");
  add_project_options(*command, options->project);
  command
      ->add_option("-t,--time", options->seconds,
                   "Kill a machine after so many seconds (default: stop_grace_period, or 10)")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS");
  command->add_flag("-v,--volumes", options->volumes, "Remove the volumes that the file lists, too");
  command->footer(
      "All machines of the project, also of services that are no longer in the file. Images, and\n"
      "without -v volumes, stay. With -p alone no file is read.\n"
      "Example:\n"
      "  ukl down");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{45, add_down};

} // namespace
} // namespace ukl
