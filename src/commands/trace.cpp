// SPDX-License-Identifier: GPL-2.0-only
// `ukl trace`: `ukl run` with strace around the program.
#include "commands/command.hpp"
#include "commands/run_texts.hpp"

#include <memory>

namespace ukl {
namespace {

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
                  "For example: ukl trace -e %network -o calls.txt web.ukl -p 8080:80");
  command->callback([texts, &action] { action = [texts] { return run_image(*texts); }; });
}

const RegisterCommand registration{35, add_trace};

} // namespace
} // namespace ukl
