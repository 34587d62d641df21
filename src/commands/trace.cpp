// SPDX-License-Identifier: GPL-2.0-only
// `ukl trace`: `ukl run` with strace around the program, or strace at the program of a machine that runs.
#include "commands/command.hpp"
#include "commands/lifecycle_command.hpp"
#include "commands/run_texts.hpp"
#include "lifecycle/copy.hpp"
#include "lifecycle/debug_view.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace ukl {
namespace {

// A run's options say nothing to a machine that runs already.
Result<void> check_options(const CLI::App& command) {
  for (const auto* option : command.get_options()) {
    const auto name = option->get_name();
    const bool ours = name == "-f" || name == "-c" || name == "-e" || name == "-o" || name == "image";
    if (option->count() > 0 && !ours)
      return Error{Failure::usage, fmt::format("{} is for a machine that is started", name),
                   "a machine that runs is traced as it is: leave it out, or name an image"};
  }
  return {};
}

// strace comes along through `ukl cp` and is started through `ukl exec`, which passes its streams and our
// signals on.
Result<int> trace_machine(const KnownMachine& machine, const RunTexts& texts) {
  TRY_LET(auto strace, find_strace(*texts.strace));
  const unsigned program = program_of(machine);
  if (program == 0)
    return Error{Failure::machine, fmt::format("the program of {} is not found", machine.plan.name),
                 "it may have ended: ukl ps -a tells"};
  TRY_LET(const auto folder, TemporaryFolder::create("ukl-trace"));
  const auto bundle = folder.path() / "strace";
  std::error_code error;
  std::filesystem::create_directory(bundle, error);
  for (const auto& file : strace.files) {
    std::filesystem::copy_file(file.host, bundle / file.guest, error);
    if (error)
      return file_error(file.host, "copy", error.value());
  }
  TRY(copy_to(machine, bundle, std::filesystem::path(kStraceFolder).parent_path().parent_path()));
  std::vector<std::string> command = {std::filesystem::read_symlink("/proc/self/exe", error).string(),
                                      "exec",
                                      "--user",
                                      "0:0",
                                      machine.plan.name,
                                      "--"};
  command.insert(command.end(), strace.words.begin(), strace.words.end());
  command.insert(command.end(), {"-p", std::to_string(program)});
  FileDescriptor output;
  ProcessOptions streams;
  if (!texts.strace_output.empty()) {
    output =
        FileDescriptor(open(texts.strace_output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!output)
      return file_error(texts.strace_output, "write", errno);
    streams.standard_error = output.get();
  }
  streams.own_group = false; // Ctrl-C is strace's: it lets the program go
  ::signal(SIGINT, SIG_IGN);
  streams.prepare = [] { return ::signal(SIGINT, SIG_DFL) == SIG_ERR ? errno : 0; };
  TRY_LET(auto process, Process::start(command, streams));
  return process.wait();
}

Result<int> run(const RunTexts& texts, const CLI::App& command) {
  std::error_code ignored;
  const auto machine = find_machine(texts.image);
  if (!machine || !machine->alive || std::filesystem::exists(texts.image, ignored))
    return run_image(texts);
  TRY(check_options(command));
  return trace_machine(*machine, texts);
}

void add_trace(CLI::App& app, Action& action) {
  auto texts = std::make_shared<RunTexts>();
  texts->strace.emplace();
  auto* command = app.add_subcommand("trace", "Boot an image and show which system calls its program makes");
  command->add_flag("-f", texts->strace->follow, "Threads and child processes too");
  command->add_flag("-c", texts->strace->count, "Count calls, errors and time, and print a table at the end");
  command
      ->add_option("-e", texts->strace->calls,
                   "Only these calls, as strace(1) takes them: open,read or %network")
      ->type_name("CALLS");
  command->add_option("-o", texts->strace_output, "Into this file, and not to standard error")
      ->type_name("FILE");
  add_run_options(*command, texts);
  command->footer("This machine's strace comes along for this run alone; the image stays as it is. Calls "
                  "that are jumps of the\n"
                  "program into the kernel are seen like all others, and while somebody looks all are "
                  "answered, also those that\n"
                  "the image masks. The machine is an ordinary one of `ukl run`, whose options it takes.\n"
                  "For example: ukl trace -e %network -o calls.txt web.ukl -p 8080:80\n"
                  "In place of an image, the name of a machine that runs: strace is copied into it and joins "
                  "its program until\n"
                  "Ctrl-C, which lets the program go on. That needs an image that answers strace's own calls "
                  "(ptrace); one that\n"
                  "masks them says so.");
  command->callback(
      [texts, command, &action] { action = [texts, command] { return run(*texts, *command); }; });
}

const RegisterCommand registration{35, add_trace};

} // namespace
} // namespace ukl
