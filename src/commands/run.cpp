// SPDX-License-Identifier: GPL-2.0-only
// `ukl run`: an image in a machine of QEMU's.
#include "accelerator.hpp"
#include "command.hpp"
#include "image.hpp"
#include "machine.hpp"
#include "machine_checks.hpp"
#include "machine_command.hpp"
#include "masked_calls.hpp"
#include "support/terminal.hpp"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

// The command line as it was written.
struct RunTexts {
  std::string image;
  std::vector<std::string> arguments, forwards, volumes, environment, qemu_arguments;
  std::string memory = "256M", accelerator = "auto", machine = "q35", append;
  unsigned cpus = 1;
  double timeout = 0;
  std::string trace; // a file
  bool dry_run = false, json = false;
};

Result<MachineOptions> read_options(const RunTexts& texts) {
  MachineOptions options;
  options.image = texts.image;
  options.machine = texts.machine;
  options.cpus = texts.cpus;
  options.append = texts.append;
  options.trace = !texts.trace.empty();
  options.arguments = texts.arguments;
  options.qemu_arguments = texts.qemu_arguments;
  if (texts.accelerator != "auto")
    options.accelerator = texts.accelerator == "kvm" ? Accelerator::kvm : Accelerator::tcg;
  if (texts.timeout > 0)
    options.timeout = std::chrono::milliseconds(static_cast<long long>(texts.timeout * 1000));
  auto memory = parse_size(texts.memory);
  if (!memory)
    return memory.error();
  options.memory = *memory;
  for (const auto& text : texts.forwards) {
    auto forward = parse_forward(text);
    if (!forward)
      return forward.error();
    options.forwards.push_back(*forward);
  }
  for (const auto& text : texts.volumes) {
    auto volume = parse_volume(text);
    if (!volume)
      return volume.error();
    options.volumes.push_back(*volume);
  }
  for (const auto& text : texts.environment) {
    if (text.find('=') == std::string::npos || text.starts_with('='))
      return Error{Failure::usage, fmt::format("'{}' sets no variable", text), "write --env NAME=VALUE"};
    options.environment.push_back(text);
  }
  return options;
}

void print_json(const MachineEnd& end, Accelerator accelerator) {
  const nlohmann::ordered_json report = {{"status", end.status},
                                         {"accelerator", accelerator == Accelerator::kvm ? "kvm" : "tcg"},
                                         {"started_ms", end.started.count()},
                                         {"first_output_ms", end.first_byte.count()},
                                         {"total_ms", end.total.count()}};
  fmt::print(stderr, "{}\n", report.dump());
}

// The calls that were traced, into the user's file.
Result<void> learn(const MachineEnd& end, const RunTexts& texts) {
  if (end.calls.empty())
    return Error{Failure::machine, fmt::format("{} did not say which system calls it made", texts.image),
                 "let it end by itself or by one Ctrl-C; an image of the profile classic cannot trace"};
  if (auto added = add_to_call_list(texts.trace, end.calls); !added)
    return added;
  print_note(fmt::format("{}: {} system calls were made; ukl pack --only-syscall @{} masks the others",
                         texts.trace, end.calls.size(), texts.trace));
  return {};
}

Result<int> run(const RunTexts& texts) {
  // What the user asked for, checked before anything is started.
  auto options = read_options(texts);
  if (!options)
    return options.error();
  auto image = read_image(options->image);
  if (!image)
    return image.error();
  if (auto enough = check_memory(*options, *image); !enough)
    return enough.error();

  if (texts.dry_run) {
    if (options->accelerator == Accelerator::automatic)
      options->accelerator = Accelerator::tcg;
    auto command = qemu_command(*options, image->manifest, {});
    if (!command)
      return command.error();
    fmt::print("{}\n", shell_line(*command));
    return 0;
  }

  if (auto free = check_ports(options->forwards); !free)
    return free.error();
  if (options->accelerator == Accelerator::automatic)
    options->accelerator = choose_accelerator(probe_with(*options));
  auto end = run_machine(*options, image->manifest);
  if (!end)
    return end.error();
  if (texts.json)
    print_json(*end, options->accelerator);
  if (options->trace)
    if (auto learned = learn(*end, texts); !learned)
      return learned.error();
  return end->status;
}

void add_run(CLI::App& app, Action& action) {
  auto texts = std::make_shared<RunTexts>();
  auto* command = app.add_subcommand("run", "Boot an image in QEMU and exit with its program's status");
  command->add_option("image", texts->image, "The image, as made by ukl pack or ukl build")->required();
  command->add_option("arguments", texts->arguments,
                      "Arguments for the program, behind --; they replace those of the image");
  const auto add_list = [&](const char* names, std::vector<std::string>& list, const char* help,
                            const char* form) {
    command->add_option(names, list, help)->type_name(form)->allow_extra_args(false)->take_all();
  };
  add_list("-p,--publish", texts->forwards,
           "Forward a host port to the program; on 127.0.0.1 unless ADDRESS says otherwise",
           "[ADDRESS:]HOST:GUEST[/udp]");
  add_list("--volume", texts->volumes,
           "Let the program see a host folder, or a file that holds an ext4 file system", "HOST:GUEST");
  add_list("--env", texts->environment, "Set a variable of the program's environment", "NAME=VALUE");
  command->add_option("-m,--memory", texts->memory, "Memory of the machine: 64M, 1G")->capture_default_str();
  command->add_option("--cpus", texts->cpus, "Number of virtual CPUs")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command
      ->add_option("--timeout", texts->timeout, "Stop the machine after this many seconds and exit with 124")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--accel", texts->accelerator, "kvm, tcg, or auto: kvm if a kernel really boots under it")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  command->add_option("--machine", texts->machine, "QEMU's machine type")
      ->check(CLI::IsMember({"q35", "pc", "microvm"}))
      ->capture_default_str();
  command
      ->add_option("--trace-syscalls", texts->trace,
                   "Learns which system calls the program makes, and adds them to this file for ukl pack "
                   "--only-syscall @FILE; the program runs more slowly and nothing is masked")
      ->type_name("FILE");
  command->add_option("--append", texts->append, "Further kernel parameters");
  add_list("--qemu-arg", texts->qemu_arguments, "A further argument for QEMU (write --qemu-arg=-device)",
           "ARGUMENT");
  command->add_flag("--dry-run", texts->dry_run, "Print QEMU's command line and do nothing else");
  command->add_flag("--json", texts->json,
                    "At the end, print status and times as one line of JSON on standard error");
  command->footer(
      "The program's output is standard output; standard input reaches the program. Ctrl-C and SIGTERM go\n"
      "to the program; a second Ctrl-C within 3 s stops the machine. The exit status is the program's, 128 "
      "+\n"
      "signal if a signal ended it, 124 after --timeout, 125 if the machine could not be set up, 126 if the\n"
      "program cannot be executed, 127 if it is not in the image.\n"
      "Example:  ukl run memcached.ukl -p 11211:11211 -m 512M -- -m 256");
  command->callback([texts, &action] { action = [texts] { return run(*texts); }; });
}

const RegisterCommand registration{30, add_run};

} // namespace
} // namespace ukl
