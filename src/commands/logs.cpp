// SPDX-License-Identifier: GPL-2.0-only
// `ukl logs`: what a machine's program has written.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/log.hpp"
#include "support/interrupt.hpp"
#include "support/standard_streams.hpp"

#include <csignal>
#include <memory>

namespace ukl {
namespace {

struct Options {
  std::string name, since;
  std::optional<std::size_t> last;
  bool follow = false, timestamps = false;
};

Result<int> run(const Options& options) {
  TRY_LET(const auto machine, find_machine(options.name));
  LogRequest request{options.last, "", options.follow};
  if (!options.since.empty()) {
    TRY_LET(request.since, parse_since(options.since, now()));
  }
  catch_interrupts();
  TRY(read_log(machine, request, [&](const LogEntry& entry) {
    std::string line = options.timestamps ? entry.time + " " : "";
    line += entry.text;
    if (entry.whole)
      line += '\n';
    if (entry.stream == LogStream::output)
      print_output(line);
    else
      print_message(line);
  }));
  return interrupted() ? 128 + interrupted() : 0;
}

void add_logs(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("logs", "Print what the program of a machine has written");
  command->add_option("NAME", options->name, "The machine's name")->required();
  command->add_flag("-f,--follow", options->follow, "Go on until the machine ends, or Ctrl-C");
  command->add_option("-n,--tail", options->last, "Only the last LINES")->type_name("LINES");
  command
      ->add_option("--since", options->since, "Only what came since then: 10m, 1h30m, 2026-11-26T10:20:30Z")
      ->type_name("TIME");
  command->add_flag("-t,--timestamps", options->timestamps, "Print the time, in UTC, before each line");
  command->footer(
      "Standard output and standard error come on ours. Only machines that ukl run -d started have a log;\n"
      "it keeps the last 10 MiB, or what --log-max of ukl run says.\n"
      "Example:\n"
      "  ukl logs -f -n 20 web");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{32, add_logs};

} // namespace
} // namespace ukl
