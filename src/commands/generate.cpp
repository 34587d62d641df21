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

void add_generate(CLI::App& app, Action& action) {
  auto name = std::make_shared<std::string>();
  auto* command = app.add_subcommand("generate", "Write what others need to start a machine");
  command->require_subcommand(1);
  auto* systemd = command->add_subcommand("systemd", "Print a service of systemd that runs a machine");
  systemd->add_option("NAME", *name, "The machine's name; it need not run any more")->required();
  systemd->footer(
      "The service is of Type=notify: it has started once the machine's program runs. Its output goes to\n"
      "the journal, a machine that ends is started again as its --restart says.\n"
      "Example:\n"
      "  ukl generate systemd web > web.service");
  auto* libvirt = command->add_subcommand("libvirt", "Print a domain of libvirt, as virsh define takes it");
  libvirt->add_option("NAME", *name, "The machine's name; it need not run any more")->required();
  libvirt->footer(
      "The domain is the machine as it was started: image, memory, CPUs, network cards, volumes, and all\n"
      "settings of that run. Files and secrets of a run (--config, --secret) cannot come along; virsh "
      "shutdown\n"
      "asks the program to end if the image has the kernel profile cloud.\n"
      "Example:\n"
      "  ukl generate libvirt web > web.xml");
  libvirt->callback([name, &action] {
    action = [name]() -> Result<int> {
      TRY_LET(const auto machine, find_machine(*name));
      return print_domain(machine.plan);
    };
  });
  systemd->callback([name, &action] {
    action = [name]() -> Result<int> {
      TRY_LET(const auto machine, find_machine(*name));
      print_output(systemd_unit(machine.plan));
      return 0;
    };
  });
}

const RegisterCommand registration{42, add_generate};

} // namespace
} // namespace ukl
