// SPDX-License-Identifier: GPL-2.0-only
// `ukl generate …`: a machine in the words of those who start machines.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/systemd_unit.hpp"
#include "machine/hypervisor.hpp"
#include "support/process.hpp"
#include "support/standard_streams.hpp"

#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace ukl {
namespace {

// What `ukl run` was told, told again to one that says it as a domain.
Result<int> print_domain(const RecordedPlan& plan) {
  auto command = foreground_command(plan.command);
  if (command.size() < 2)
    return Error{Failure::usage, fmt::format("it is not known how {} was started", plan.name),
                 "start it with this ukl"};
  std::error_code ignored;
  command[0] = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  command.insert(command.begin() + 2, {"--vmm", libvirt().name, "--name", plan.name, "--dry-run"});
  ProcessOptions how;
  how.directory = plan.folder;
  how.standard_error = STDERR_FILENO;
  TRY_LET(auto process, Process::start(command, how));
  return process.wait();
}

Result<int> print_service(const RecordedPlan& plan) {
  print_output(systemd_unit(plan));
  return 0;
}

void add_one(CLI::App& generate, Action& action, const char* name, const char* help, const char* footer,
             Result<int> (*print)(const RecordedPlan&)) {
  auto machine = std::make_shared<std::string>();
  auto* command = generate.add_subcommand(name, help);
  command->add_option("NAME", *machine, "The machine's name; it need not run any more")->required();
  command->footer(footer);
  command->callback([machine, &action, print] {
    action = [machine, print]() -> Result<int> {
      TRY_LET(const auto known, find_machine(*machine));
      return print(known.plan);
    };
  });
}

void add_generate(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("generate", "Write what others need to start a machine");
  command->require_subcommand(1);
  add_one(
      *command, action, "systemd", "Print a service of systemd that runs a machine",
      "The service is of Type=notify: it has started once the machine's program runs. Its output goes to\n"
      "the journal, a machine that ends is started again as its --restart says.\n"
      "Example:\n"
      "  ukl generate systemd web > web.service",
      print_service);
  add_one(
      *command, action, "libvirt", "Print a domain of libvirt, as virsh define takes it",
      "The domain is the machine as it was started: image, memory, CPUs, network cards, volumes, and all\n"
      "settings of that run. Files and secrets of a run (--config, --secret) cannot come along; virsh "
      "shutdown\n"
      "asks the program to end, but for images of the kernel profiles micro and nano.\n"
      "Example:\n"
      "  ukl generate libvirt web > web.xml",
      print_domain);
}

const RegisterCommand registration{42, add_generate};

} // namespace
} // namespace ukl
