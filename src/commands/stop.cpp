// SPDX-License-Identifier: GPL-2.0-only
// `ukl stop`: ends machines in order.
#include "commands/lifecycle_command.hpp"

#include <memory>

namespace ukl {
namespace {

struct Options {
  std::vector<std::string> names;
  double seconds = 10;
};

void add_stop(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("stop", "End machines: their programs get SIGTERM, and time to obey it");
  add_machine_names(*command, options->names);
  command->add_option("-t,--time", options->seconds, "Kill the machine after so many seconds")
      ->check(CLI::Range(0.0, 1e6))
      ->type_name("SECONDS")
      ->capture_default_str();
  command->footer("A machine that has ended already is no error. It is not started again, whatever its\n"
                  "--restart says.\n"
                  "Example:\n"
                  "  ukl stop web");
  command->callback([options, &action] {
    action = [options] {
      return for_each_machine(options->names, [&](const KnownMachine& machine) {
        return stop_machine(machine,
                            std::chrono::milliseconds(static_cast<long long>(options->seconds * 1000)));
      });
    };
  });
}

const RegisterCommand registration{33, add_stop};

} // namespace
} // namespace ukl
