// SPDX-License-Identifier: GPL-2.0-only
// `ukl wait`: until machines have ended.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/events.hpp"
#include "support/interrupt.hpp"
#include "support/standard_streams.hpp"

#include <fmt/format.h>
#include <memory>

namespace ukl {
namespace {

Result<int> wait(const std::vector<std::string>& names) {
  catch_interrupts();
  int status = 0;
  for (const auto& name : names) {
    TRY_LET(const auto machine, find_machine(name));
    if (!wait_for_end(machine))
      return Error{Failure::interrupted, fmt::format("interrupted while {} runs", name), ""};
    // One that leaves nothing is in the machines' history still.
    if (auto latest = find_machine(name))
      status = status_of(*latest);
    else
      status = last_status(machine.folder.parent_path(), name).value_or(status_of(machine));
    print_output(fmt::format("{}\n", status));
  }
  return status;
}

void add_wait(CLI::App& app, Action& action) {
  auto names = std::make_shared<std::vector<std::string>>();
  auto* command = app.add_subcommand("wait", "Wait until machines have ended, and print their statuses");
  add_machine_names(*command, *names);
  command->footer("The exit status is that of the last machine.\n"
                  "Example:\n"
                  "  ukl wait job");
  command->callback([names, &action] { action = [names] { return wait(*names); }; });
}

const RegisterCommand registration{35, add_wait};

} // namespace
} // namespace ukl
