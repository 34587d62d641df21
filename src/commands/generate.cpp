// SPDX-License-Identifier: GPL-2.0-only
// `ukl generate …`: a machine in the words of those who start machines.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/systemd_unit.hpp"
#include "support/standard_streams.hpp"

#include <memory>

namespace ukl {
namespace {

void add_generate(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>();
  auto* command = app.add_subcommand("generate", "Write what others need to start a machine");
  command->require_subcommand(1);
  auto* systemd = command->add_subcommand("systemd", "Print a service of systemd that runs a machine");
  systemd->add_option("NAME", *name, "The machine's name; it need not run any more")->required();
  systemd->footer(
      "The service is of Type=notify: it has started once the machine's program runs. Its output goes to\n"
      "the journal, a machine that ends is started again as its --restart says.\n"
      "Example:\n"
      "  ukl generate systemd web > web.service");
  systemd->callback([name, &action] {
    action = [name]() -> Result<int> {
      TRY_LET(const auto machine, find_machine(*name));
      print_output(systemd_unit(machine.plan));
      return 0;
    };
  });
}

const RegisterCommand registration{42, add_generate};

} // namespace
} // namespace ukl
