// SPDX-License-Identifier: GPL-2.0-only
// `ukl attach`: our streams at a machine that runs by itself.
#include "lifecycle/attach.hpp"
#include "commands/lifecycle_command.hpp"
#include "support/terminal.hpp"

#include <fmt/format.h>
#include <memory>

namespace ukl {
namespace {

Result<int> run(const std::string& name) {
  TRY_LET(const auto machine, find_machine(name));
  TRY_LET(const auto end, attach_to(machine));
  if (end.detached)
    print_note(fmt::format("{} runs on", name));
  return end.status;
}

void add_attach(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>();
  auto* command = app.add_subcommand("attach", "See what a machine writes, as if it had been started here");
  command->add_option("NAME", *name, "The machine's name")->required();
  command->footer(
      "Our input is the program's if the machine was started with -i. Signals go to the program,\n"
      "Ctrl-C too; Ctrl-P Ctrl-Q leaves the machine running. The exit status is the machine's.\n"
      "A machine with a terminal (ukl run -d -it) takes each key as it is, and has the size of our\n"
      "window; closing that, or SIGTERM, leaves it running, too. Several may be attached at once.\n"
      "Example:\n"
      "  ukl attach web");
  command->callback([name, &action] { action = [name] { return run(*name); }; });
}

const RegisterCommand registration{39, add_attach};

} // namespace
} // namespace ukl
