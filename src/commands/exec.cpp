// SPDX-License-Identifier: GPL-2.0-only
// `ukl exec`: a further program in a machine that runs.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/exec_client.hpp"
#include "machine/host_streams.hpp"
#include "machine/raw_terminal.hpp"
#include "machine/signal_queue.hpp"
#include "support/environment.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <poll.h>
#include <unistd.h>

namespace ukl {
namespace {

struct Options {
  std::string name, directory, user;
  std::vector<std::string> command, environment;
  bool interactive = false, terminal = false;
};

Manifest wanted(const Options& options) {
  Manifest records;
  for (const auto& word : options.command)
    records.emplace_back(key::argument, word);
  if (const auto type = terminal_type(); options.terminal && !type.empty())
    records.emplace_back(key::environment, fmt::format("TERM={}", type));
  for (const auto& variable : options.environment)
    records.emplace_back(key::environment, variable);
  if (!options.directory.empty())
    records.emplace_back(key::directory, options.directory);
  if (!options.user.empty())
    records.emplace_back(key::user, options.user);
  if (options.terminal)
    records.emplace_back(key::terminal, window_size(STDOUT_FILENO, ' '));
  return records;
}

void pass_on(int signal, bool terminal, ExecClient& client) {
  if (signal == SIGCHLD || signal == SIGCONT)
    return;
  if (signal == SIGWINCH) {
    if (terminal)
      client.send(exec::kWindow, window_size(STDOUT_FILENO, ' '));
    return;
  }
  client.send(exec::kSignal, fmt::format("{}", signal));
}

Result<int> carry(ExecClient& client, const Options& options, SignalQueue& signals) {
  bool input = options.interactive;
  if (!input)
    client.send(exec::kInputEnd);
  while (true) {
    pollfd events[] = {{client.descriptor(), POLLIN, 0},
                       {signals.descriptor(), POLLIN, 0},
                       {input && client.may_send() ? STDIN_FILENO : -1, POLLIN, 0}};
    poll(events, 3, -1);
    for (const int signal : signals.take())
      pass_on(signal, options.terminal, client);
    if (events[0].revents) {
      TRY_LET(const auto packet, client.receive());
      if (packet.kind == exec::kEnd)
        return std::atoi(packet.bytes.c_str());
      if (packet.kind == exec::kOutput || packet.kind == exec::kError) {
        const bool output = packet.kind == exec::kOutput;
        // As a program here would end: the other one gets SIGHUP when we go.
        if (const int wrong = write_all(output ? STDOUT_FILENO : STDERR_FILENO, packet.bytes); wrong == EPIPE)
          return 128 + SIGPIPE;
        else if (wrong != 0)
          return file_error(output ? "standard output" : "standard error", "write", wrong);
        client.taken(packet.bytes.size());
      }
    }
    if (events[2].revents) {
      char buffer[exec::kMostBytes];
      const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
      if (got > 0) {
        client.send_input(std::string_view(buffer, static_cast<std::size_t>(got)));
      } else if (got == 0) {
        input = false;
        client.send(exec::kInputEnd);
      }
    }
  }
}

Result<int> run(const Options& options) {
  if (options.terminal && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
    return Error{Failure::usage, "-t needs a terminal, and our input or output is none", "leave -t out"};
  TRY_LET(const auto machine, find_machine(options.name));
  TRY_LET(auto signals, SignalQueue::create());
  TRY_LET(auto client, ExecClient::start(machine, wanted(options)));
  RawTerminal keys(options.terminal ? STDIN_FILENO : -1);
  keys.enter();
  auto status = carry(client, options, signals);
  keys.leave();
  if (!status && client.refused_with() != 0) {
    print_error(status.error());
    return client.refused_with();
  }
  return status;
}

void add_exec(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("exec", "Run a further program of the image in a machine that runs");
  command->add_option("NAME", options->name, "The machine's name")->required();
  command
      ->add_option("COMMAND", options->command,
                   "A program that is in the image, and its arguments; behind -- if they begin with -")
      ->required();
  command->add_flag("-i,--interactive", options->interactive, "Our input is the program's");
  command->add_flag("-t,--tty", options->terminal, "Give it a terminal; ours is raw then");
  add_repeatable(*command, "--env", options->environment, "Set a variable of its environment")
      ->type_name("NAME=VALUE");
  command->add_option("--user", options->user,
                      "Run as UID:GID or a name (default: as the machine's program)");
  command->add_option("--workdir", options->directory, "Run in this folder of the image");
  command->footer(
      "Output, error and exit status are the program's; signals that we get go to it. 126 and 127 say\n"
      "that it cannot be executed, or is not in the image; ukl pack --file adds a program.\n"
      "Example:\n"
      "  ukl exec web -- cat /etc/hosts\n"
      "  ukl exec -it web sh");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{38, add_exec};

} // namespace
} // namespace ukl
