// SPDX-License-Identifier: GPL-2.0-only
#include "command.hpp"
#include "support/terminal.hpp"

#include <algorithm>

// What CLI11 throws while options are declared would be a mistake in that declaration.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  CLI::App app{
      "ukl joins a Linux program and a Linux kernel in one file that boots; the program runs in ring 0"};
  app.name("ukl");
  app.set_version_flag("--version", "ukl " UKL_VERSION);
  app.require_subcommand(1);
  app.footer("Start with:  ukl pack /usr/bin/memcached -o memcached.ukl -- -u root\n"
             "             ukl run memcached.ukl -p 11211:11211\n"
             "`ukl COMMAND --help` explains a command. Exit statuses 20 to 37 are the tool's own errors.");

  ukl::Action action;
  auto& commands = ukl::registered_commands();
  std::ranges::sort(commands, {}, &ukl::RegisteredCommand::order);
  for (const auto& command : commands)
    command.add(app, action);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ukl::Failure::usage);
  }
  auto status = action();
  if (!status) {
    ukl::print_error(status.error());
    return static_cast<int>(status.error().failure);
  }
  return *status;
}
