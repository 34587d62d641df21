// SPDX-License-Identifier: GPL-2.0-only
#include "commands/command.hpp"
#include "support/standard_streams.hpp"
#include "support/tool.hpp"

#include <algorithm>
#include <sstream>

namespace ukl {
namespace {

Result<int> run(int argc, char** argv) {
  CLI::App app{
      "ukl joins a Linux program and a Linux kernel in one file that boots; the program runs in ring 0"};
  app.name("ukl");
  app.set_version_flag("--version", "ukl " UKL_VERSION);
  app.require_subcommand(1);
  app.footer("Start with:\n"
             "  ukl pack memcached -o memcached.ukl -- -u root\n"
             "  ukl run memcached.ukl -p 11211:11211\n\n"
             "`ukl COMMAND --help` explains a command. Exit statuses 20 to 43 are the tool's own errors.");

  Action action;
  auto& commands = registered_commands();
  std::ranges::sort(commands, {}, &RegisteredCommand::order);
  for (const auto& command : commands)
    command.add(app, action);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come this way too, as output without an error.
    std::ostringstream output, messages;
    const int status = app.exit(error, output, messages);
    print_output(output.str());
    print_message(messages.str());
    return status == 0 ? 0 : static_cast<int>(Failure::usage);
  }
  return action();
}

} // namespace
} // namespace ukl

int main(int argc, char** argv) {
  return ukl::run_tool([&] { return ukl::run(argc, argv); });
}
