// SPDX-License-Identifier: GPL-2.0-only
// `ukl gdb`: a debugger at a running machine, with the symbols of kernel and program in place.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/debug_view.hpp"
#include "lifecycle/gdb_relay.hpp"
#include "support/process.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <cerrno>
#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace ukl {
namespace {

struct Options {
  std::string name;
  std::vector<std::string> arguments;
  bool print = false, relay = false;
};

// For the shell that gdb starts.
std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char byte : word)
    text += byte == '\'' ? "'\\''" : std::string(1, byte);
  return text + "'";
}

Result<int> run(const Options& options) {
  TRY_LET(const auto machine, find_machine(options.name));
  if (options.relay) {
    TRY(relay_gdb(machine));
    return 0;
  }
  std::vector<LoadedFile> files;
  {
    TRY_LET(auto qemu, QemuClient::connect(machine));
    TRY_LET(auto kernel, kernel_of(machine, qemu));
    if (kernel)
      files.push_back(std::move(*kernel));
    else
      print_note("its kernel is not in the cache (ukl kernel list), or has not come far: it has no symbols");
  }
  TRY_LET(auto folder, TemporaryFolder::create("ukl-gdb"));
  if (!options.print) {
    TRY_LET(auto program, program_files_of(machine, folder.path()));
    if (program.empty())
      print_note("the program's files could not be read: it has no symbols");
    files.insert(files.end(), program.begin(), program.end());
  }
  std::error_code ignored;
  const auto tool = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  const auto commands = fmt::format("set confirm off\nset pagination off\nset architecture i386:x86-64\n{}"
                                    "target remote | {} gdb --relay {}\nset confirm on\n",
                                    symbol_commands(files), quoted(tool), machine.plan.name);
  if (options.print) {
    print_output(commands);
    return 0;
  }
  const auto script = folder.path() / "commands";
  TRY(write_text(script, commands));
  std::vector<std::string> command = {"gdb", "-q", "-x", script.string()};
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  ProcessOptions process;
  process.standard_input = STDIN_FILENO;
  process.own_group = false; // the terminal is gdb's
  ::signal(SIGINT, SIG_IGN);
  process.prepare = [] { return ::signal(SIGINT, SIG_DFL) == SIG_ERR ? errno : 0; };
  auto gdb = Process::start(command, process);
  if (!gdb && gdb.error().failure == Failure::missing_tool)
    return Error{Failure::missing_tool, "gdb is not installed", "apt-get install gdb"};
  if (!gdb)
    return gdb.error();
  return gdb->wait();
}

void add_gdb(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("gdb", "Start gdb at a running machine, with its symbols in place");
  command->add_option("NAME", options->name, "The machine's name")->required();
  command->add_option("ARGUMENT", options->arguments, "For gdb, behind --");
  command->add_flag("--print", options->print,
                    "Print the commands for gdb, and start none; without the program's symbols");
  command->add_flag("--relay", options->relay, "For gdb itself: the machine's end of its line")->group("");
  command->footer(
      "The machine stands still while gdb looks at it, and goes on when gdb ends. The kernel's symbols are\n"
      "those of its vmlinux in the cache, where this run has put it; the program's and its libraries' those\n"
      "that the image's own files have: one that was packed with its debug information has lines, too. They\n"
      "are in one address space, so a backtrace goes from a system call in the kernel into the program.\n"
      "Use hbreak where the program may be paged out or replaced. The exit status is gdb's.\n"
      "Examples:\n"
      "  ukl gdb web -- -batch -ex backtrace\n"
      "  ukl gdb web");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{47, add_gdb};

} // namespace
} // namespace ukl
