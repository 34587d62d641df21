// SPDX-License-Identifier: GPL-2.0-only
// `ukl restart`: the same machine again.
#include "commands/lifecycle_command.hpp"
#include "support/process.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace ukl {
namespace {

struct Options {
  std::vector<std::string> names;
  double seconds = 10;
};

// By the command line that it was started with, in the folder where that was: variables of ours that it
// names have the values that they have now.
Result<void> restart(const KnownMachine& machine, double seconds) {
  if (!machine.plan.detached)
    return Error{Failure::usage, fmt::format("{} runs in the foreground", machine.plan.name),
                 "only machines of ukl run -d can be started again"};
  TRY(stop_machine(machine, std::chrono::milliseconds(static_cast<long long>(seconds * 1000))));
  if (!machine.plan.remove)
    TRY(remove_record(machine));
  auto command = machine.plan.command;
  // Who chose no name gets the same again.
  command.insert(command.begin() + 2, {"--name", machine.plan.name});
  ProcessOptions options;
  options.directory = machine.plan.folder;
  options.own_group = false;
  TRY_LET(const auto output, run_command(command, options));
  if (output.status != 0)
    return Error{static_cast<Failure>(output.status),
                 fmt::format("{} was stopped, and could not be started again: {}", machine.plan.name,
                             output.text.substr(0, output.text.find('\n'))),
                 ""};
  return {};
}

void add_restart(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("restart", "End machines, if they run, and start them again");
  add_machine_names(*command, options->names);
  command->add_option("-t,--time", options->seconds, "Kill the machine after so many seconds")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->footer("A machine starts as it was started first; its log begins anew.\n"
                  "Example:\n"
                  "  ukl restart web");
  command->callback([options, &action] {
    action = [options] {
      return for_each_machine(
          options->names, [&](const KnownMachine& machine) { return restart(machine, options->seconds); });
    };
  });
}

const RegisterCommand registration{36, add_restart};

} // namespace
} // namespace ukl
