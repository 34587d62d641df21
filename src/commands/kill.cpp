// SPDX-License-Identifier: GPL-2.0-only
// `ukl kill`: a signal for the programs of machines.
#include "commands/lifecycle_command.hpp"
#include "support/signal_name.hpp"

#include <csignal>
#include <fmt/format.h>
#include <memory>

namespace ukl {
namespace {

struct Options {
  std::vector<std::string> names;
  std::string signal = "KILL";
};

Result<void> signal_machine(const KnownMachine& machine, int signal) {
  if (!machine.alive)
    return Error{Failure::no_such_machine, fmt::format("{} does not run", machine.plan.name),
                 "ukl ps lists those that do"};
  if (signal == SIGKILL) {
    TRY(ask_to_stop(machine));
    kill_machine(machine);
    return {};
  }
  // Not by `--restart` either: its user wants it to end.
  if (signal == SIGTERM || signal == SIGINT || signal == SIGQUIT)
    TRY(ask_to_stop(machine));
  if (!send_signal(machine, signal))
    return Error{Failure::no_such_machine, fmt::format("{} has just ended", machine.plan.name), ""};
  return {};
}

void add_kill(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("kill", "Send a signal to the programs of machines");
  add_machine_names(*command, options->names);
  command->add_option("-s,--signal", options->signal, "A name like HUP, or a number")
      ->type_name("SIGNAL")
      ->capture_default_str();
  command->footer("SIGKILL ends the whole machine at once, as if it were switched off; what a program has\n"
                  "written to its volumes stays.\n"
                  "Example:\n"
                  "  ukl kill -s HUP web");
  command->callback([options, &action] {
    action = [options]() -> Result<int> {
      TRY_LET(const int signal, parse_signal(options->signal));
      return for_each_machine(
          options->names, [signal](const KnownMachine& machine) { return signal_machine(machine, signal); });
    };
  });
}

const RegisterCommand registration{34, add_kill};

} // namespace
} // namespace ukl
