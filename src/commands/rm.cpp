// SPDX-License-Identifier: GPL-2.0-only
// `ukl rm`: forgets machines that have ended.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/events.hpp"

#include <memory>

namespace ukl {
namespace {

struct Options {
  std::vector<std::string> names;
  bool force = false;
};

Result<void> remove(const KnownMachine& machine, bool force) {
  if (force && machine.alive) {
    TRY(ask_to_stop(machine));
    kill_machine(machine);
    wait_for_end(machine, std::chrono::milliseconds(5000));
  }
  TRY(remove_record(machine));
  add_event(machine.folder.parent_path(), machine.plan.name, "removed");
  return {};
}

void add_rm(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("rm", "Remove what is left of machines that have ended");
  add_machine_names(*command, options->names);
  command->add_flag("-f,--force", options->force, "Kill a machine that runs");
  command->footer("That is its log and how it ended; the image and volumes stay.\n"
                  "Example:\n"
                  "  ukl rm -f web");
  command->callback([options, &action] {
    action = [options] {
      return for_each_machine(options->names,
                              [&](const KnownMachine& machine) { return remove(machine, options->force); });
    };
  });
}

const RegisterCommand registration{37, add_rm};

} // namespace
} // namespace ukl
