// SPDX-License-Identifier: GPL-2.0-only
// `ukl run`: an image in a machine of QEMU's.
#include "machine/run.hpp"
#include "calls/policy.hpp"
#include "commands/command.hpp"
#include "commands/guest_options.hpp"
#include "commands/old_call_options.hpp"
#include "commands/run_networks.hpp"
#include "commands/run_texts.hpp"
#include "image/write.hpp"
#include "machine/accelerator.hpp"
#include "machine/bootchart.hpp"
#include "machine/checks.hpp"
#include "machine/fit_machine.hpp"
#include "machine/named_volumes.hpp"
#include "machine/run_files.hpp"
#include "machine/run_plain.hpp"
#include "machine/warm_machine.hpp"
#include "support/environment.hpp"
#include "support/overwriting.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"
#include "support/text.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace ukl {
namespace {

// The command line as it was written.
// What goes over the image's settings.
Result<Manifest> read_settings(const RunTexts& texts, GuestSettings guest) {
  for (const auto& file : texts.environment_files) {
    auto variables = read_variables(file, environment_variable);
    if (!variables)
      return variables.error();
    guest.environment.insert(guest.environment.end(), variables->begin(), variables->end());
  }
  for (const auto& text : texts.environment) {
    auto variable = read_variable(text, environment_variable);
    if (!variable)
      return variable.error();
    guest.environment.push_back(std::move(*variable));
  }
  auto settings = check_run_settings(guest);
  if (!settings)
    return settings.error();
  for (const auto& text : texts.configs) {
    auto config = read_config(text);
    if (!config)
      return config.error();
    settings->push_back(std::move(*config));
  }
  for (const auto& text : texts.secrets) {
    auto secret = read_secret(text, environment_variable);
    if (!secret)
      return secret.error();
    settings->push_back(std::move(*secret));
  }
  return settings;
}

// With all calls answered: strace makes some that no image knows of.
Result<void> add_strace(const RunTexts& texts, MachineOptions& options) {
  auto asked = *texts.strace;
  asked.to_file = !texts.strace_output.empty();
  TRY_LET(auto settings, strace_settings(asked));
  std::ranges::move(settings, std::back_inserter(options.settings));
  options.trace = true;
  if (!asked.to_file)
    return {};
  TRY(write_text(texts.strace_output, ""));
  TRY_LET(auto volume, parse_volume(fmt::format("{}:{}:file", texts.strace_output, kTraceFile)));
  options.volumes.push_back(std::move(volume));
  return {};
}

Result<MachineOptions> read_options(const RunTexts& texts) {
  MachineOptions options;
  options.image = texts.image;
  options.cpus = texts.cpus;
  options.append = texts.append;
  options.trace = !texts.trace.empty();
  if (texts.time)
    options.times = MachineOptions::Times::phases;
  if (!texts.bootchart.empty())
    options.times = MachineOptions::Times::initcalls;
  options.arguments = texts.arguments;
  options.qemu_arguments = texts.qemu_arguments;
  if (texts.accelerator != "auto")
    options.accelerator = texts.accelerator == "kvm" ? Accelerator::kvm : Accelerator::tcg;
  if (!texts.timeout.empty()) {
    auto timeout = parse_timeout(texts.timeout);
    if (!timeout)
      return timeout.error();
    options.timeout = *timeout;
  }
  if (!texts.memory.empty()) {
    auto memory = parse_size(texts.memory);
    if (!memory)
      return memory.error();
    options.memory = *memory;
  }
  for (const auto& text : texts.forwards) {
    TRY_LET(const auto forwards, parse_forwards(text));
    options.forwards.insert(options.forwards.end(), forwards.begin(), forwards.end());
  }
  auto guest = texts.guest;
  TRY(read_networks(texts, guest, options));
  TRY_LET(const auto places, read_places());
  options.private_networks = places.networks;
  for (const auto& text : texts.volumes) {
    TRY_LET(auto named, parse_named_volume(places.volumes, text));
    if (!named) {
      TRY_LET(named, parse_volume(text));
    }
    options.volumes.push_back(std::move(*named));
  }
  for (const auto& text : texts.memory_folders) {
    TRY_LET(auto folder, parse_memory_folder(text));
    options.memory_folders.push_back(std::move(folder));
  }
  options.read_only = texts.read_only;
  auto settings = read_settings(texts, guest);
  if (!settings)
    return settings.error();
  options.settings = std::move(*settings);
  // The image's program goes with its arguments.
  if (!texts.entrypoint.empty()) {
    options.settings.emplace_back(key::entry, "0");
    options.arguments.insert(options.arguments.begin(), texts.entrypoint);
  }
  if (texts.strace)
    TRY(add_strace(texts, options));
  leave_user_network(guest, options);
  return options;
}

void print_json(const MachineEnd& end, Accelerator accelerator) {
  nlohmann::ordered_json report = {{"status", end.status},
                                   {"accelerator", accelerator == Accelerator::kvm ? "kvm" : "tcg"},
                                   {"started_ms", end.started.count()},
                                   {"first_output_ms", end.first_byte.count()},
                                   {"total_ms", end.total.count()}};
  if (end.times) {
    const auto times = boot_times(*end.times);
    for (const auto& phase : times.phases)
      report["times_ms"][phase.name] = phase.duration;
    if (times.first_output)
      report["times_ms"]["first_output"] = *times.first_output;
    report["times_ms"]["all"] = times.total;
  }
  print_message(report.dump() + "\n");
}

Result<void> show_times(const MachineEnd& end, const RunTexts& texts) {
  if (!end.times)
    return {};
  const auto times = boot_times(*end.times);
  if (texts.time && !texts.json)
    print_message(describe(times));
  if (texts.bootchart.empty())
    return {};
  if (times.initcalls.empty())
    print_note(fmt::format("{} has no initcalls: the kernel has not told of them", texts.bootchart));
  return write_text(texts.bootchart, bootchart(times, texts.image));
}

// The calls that were traced, into the user's file.
Result<void> learn(const MachineEnd& end, const RunTexts& texts) {
  if (end.calls.empty())
    return Error{Failure::machine, fmt::format("{} did not say which system calls it made", texts.image),
                 "let it end by itself or by one Ctrl-C; an image of the profile classic cannot trace"};
  if (auto added = add_to_call_list(texts.trace, end.calls); !added)
    return added;
  print_note(fmt::format("{}: {} system calls were made; ukl pack --calls @{} masks the others", texts.trace,
                         end.calls.size(), texts.trace));
  return {};
}

// From a kept machine, or cold from its image if that cannot be.
void go_on_from(const WarmMachine& warm, MachineOptions& options) {
  if (const auto obstacle = warm_obstacle(warm, options); !obstacle.empty()) {
    print_note(fmt::format("{} starts cold: {}", warm.folder.string(), obstacle));
    return;
  }
  options.warm.use = MachineOptions::Warm::Use::go_on;
  options.warm.folder = std::filesystem::absolute(warm.folder);
}

Result<void> take_volumes(const MachineOptions& options, std::vector<FileLock>& held) {
  for (const auto& volume : options.volumes)
    if (volume.named) {
      TRY_LET(auto lock, take_volume(volume));
      held.push_back(std::move(lock));
    }
  return {};
}

// A machine with a console and nothing else of ours.
Result<int> run_plainly(const Hypervisor& hypervisor, MachineOptions options, const ImageInfo& image,
                        const RunTexts& texts) {
  const bool keeps_it = &hypervisor == &libvirt();
  if (keeps_it && !texts.dry_run)
    return Error{Failure::usage, "libvirt starts machines itself",
                 "start one here with -d --name NAME, then: ukl generate libvirt NAME"};
  for (const auto& [asked, what] : {std::pair(texts.life.detach, "-d"),
                                    {!texts.life.name.empty() && !keeps_it, "--name"},
                                    {texts.publish_all, "-P"},
                                    {texts.json, "--json"},
                                    {is_warm_machine(texts.image), "a kept machine"}})
    if (asked)
      return Error{Failure::usage, fmt::format("{} has no use for {}", hypervisor.name, what),
                   "leave it out, or take --vmm qemu"};
  if (&hypervisor == &xen() && !image.xen)
    return Error{
        Failure::kernel_lacks,
        fmt::format("the kernel of {} has no support for Xen and cannot start there", texts.image),
        "pack the program again with --profile cloud (once before: ukl kernel build --profile cloud)"};
  options.name = texts.life.name;
  if (!keeps_it)
    options.accelerator = Accelerator::kvm;
  else if (options.accelerator == Accelerator::automatic)
    options.accelerator = choose_accelerator(probe_with(options));
  if (!keeps_it && texts.networks.empty() && !value_of(image.manifest, key::address).empty())
    print_note(fmt::format("the machine has no network: {} has one on a device of this machine (--network)",
                           hypervisor.name));
  if (texts.dry_run) {
    TRY_LET(const auto plan, plan_machine(hypervisor, options, image.manifest, {}));
    print_output(hypervisor.file ? hypervisor.file(plan) : shell_line(hypervisor.command(plan)) + "\n");
    return 0;
  }
  std::vector<FileLock> held;
  TRY(take_volumes(options, held));
  TRY_LET(const auto end, run_plain_machine(hypervisor, options, image.manifest));
  return end.status;
}

} // namespace

Result<int> run_image(const RunTexts& texts) {
  // What the user asked for, checked before anything is started.
  auto options = read_options(texts);
  if (!options)
    return options.error();
  TRY(check_life_options(texts.life, *options));
  for (const auto& [given, name] : {std::pair(!texts.trace.empty(), "--trace-calls"),
                                    {!texts.bootchart.empty(), "--bootchart"},
                                    {texts.time, "--time"},
                                    {texts.json, "--json"}})
    if (texts.life.detach && given)
      return Error{Failure::usage,
                   fmt::format("{} reports at the machine's end, for which -d does not wait", name),
                   fmt::format("leave out -d or {}; ukl ps -a --json tells how machines ended", name)};
  std::optional<WarmMachine> warm;
  if (is_warm_machine(texts.image)) {
    TRY_LET(warm, read_warm_machine(texts.image));
    options->image = warm->image_file();
    if (options->cpus == 1) // not asked for
      options->cpus = warm->cpus;
  }
  auto image = read_image(options->image);
  if (!image)
    return image.error();
  options->machine = texts.machine.empty() && warm ? warm->machine : texts.machine;
  if (texts.memory.empty())
    options->memory = warm ? warm->memory : 0;
  TRY_LET(const auto* hypervisor, find_hypervisor(texts.vmm));
  TRY(fit_machine(*hypervisor, *image, *options));
  if (!hypervisor->has_ports)
    return run_plainly(*hypervisor, *options, *image, texts);
  if (texts.publish_all)
    for (auto& forward : forwards_of(image->manifest))
      options->forwards.push_back(std::move(forward));
  options->stop_signal = std::atoi(
      value_of(options->settings, key::stop_signal, value_of(image->manifest, key::stop_signal, "15"))
          .c_str());
  if (auto distinct = refuse_overwriting(texts.trace, {options->image}); !distinct)
    return distinct.error();
  if (auto distinct = refuse_overwriting(texts.bootchart, {options->image}); !distinct)
    return distinct.error();

  auto no_zone = missing_time_zone(*options, *image);
  if (!no_zone)
    return no_zone.error();
  if (!no_zone->empty())
    print_note(*no_zone);

  if (texts.dry_run) {
    if (options->accelerator == Accelerator::automatic)
      options->accelerator = Accelerator::tcg;
    auto command = machine_command(qemu(), *options, image->manifest, {});
    if (!command)
      return command.error();
    print_output(shell_line(*command) + "\n");
    return 0;
  }

  TRY(check_cards(*options));
  TRY(check_ports(options->forwards));
  TRY_LET(const auto chosen, choose_free_ports(options->forwards));
  for (const auto& sentence : chosen)
    print_note(sentence);
  if (options->accelerator == Accelerator::automatic)
    options->accelerator = choose_accelerator(probe_with(*options));
  choose_queues(options->network, options->cpus, options->accelerator == Accelerator::kvm);
  for (auto& card : options->more_networks)
    choose_queues(card, options->cpus, options->accelerator == Accelerator::kvm);
  TRY(join_networks(texts.life.name, image->manifest, *options));
  if (warm)
    go_on_from(*warm, *options);
  // As long as we, or whoever looks after the machine, are there.
  std::vector<FileLock> held;
  TRY(take_volumes(*options, held));
  if (texts.life.detach)
    return run_detached(texts.life, std::move(*options), image->manifest);
  auto end = run_in_foreground(texts.life, *options, image->manifest);
  if (!end)
    return end.error();
  if (texts.json)
    print_json(*end, options->accelerator);
  if (auto shown = show_times(*end, texts); !shown)
    return shown.error();
  if (!texts.trace.empty())
    if (auto learned = learn(*end, texts); !learned)
      return learned.error();
  return end->status;
}

void add_run_options(CLI::App& command_, const std::shared_ptr<RunTexts>& texts) {
  auto* command = &command_;
  command
      ->add_option("image", texts->image,
                   "The image, as made by ukl pack or ukl build; or a kept machine (ukl snapshot)")
      ->required();
  command->add_option("arguments", texts->arguments,
                      "Arguments for the program, behind --; they replace those of the image");
  const auto add_list = [&](const char* names, std::vector<std::string>& list, const char* help,
                            const char* form) {
    add_repeatable(*command, names, list, help)->type_name(form);
  };
  add_list("-p,--publish", texts->forwards,
           "Forward a host port to the program; on 127.0.0.1 unless ADDRESS says otherwise ([::1] for IPv6). "
           "HOST 0 "
           "is any that is free, and is said; FIRST-LAST:FIRST-LAST are several",
           "[ADDRESS:]HOST:GUEST[/udp]");
  command->add_flag(
      "-P,--publish-all", texts->publish_all,
      "Forward a free host port, which is said, to each port that the image names (ukl pack --expose)");
  add_list(
      "--volume", texts->volumes,
      "Let the program see a folder or a file of the host, a disk (a file with an ext4 file system), or a "
      "volume "
      "that ukl volume create made, by its name. "
      "Options behind a third colon: ro (read-only); shared (several machines have it at once: locks are "
      "the host's then, but none is waited for); virtiofs (the default) or 9p (by path: an open file that "
      "is renamed or removed is lost, and a shared mapping cannot be written to); disk or file",
      "HOST:GUEST[:ro,…]");
  add_list(
      "--network", texts->networks,
      "What a network card is connected to: user (QEMU's own, with -p), passt (the same through passt, with "
      "IPv6), tap:NAME or bridge:NAME (devices of this machine: the program has its --address there), "
      "private:NAME (your other machines that name it, and nothing else; needs no rights), the "
      "name of a network (ukl network create), none. Behind it may stand ,ip=ADDRESS/LENGTH and ,mac=MAC. "
      "Once for each card; the first has the image's addresses and routes (default: user; none where --vmm "
      "has no such network)",
      "NETWORK[,ip=…]");
  command
      ->add_option(
          "--vmm", texts->vmm,
          "Which hypervisor: qemu; or firecracker, cloud-hypervisor or xen (xl), where the machine's "
          "console is our standard output and input, and what they lack is refused")
      ->capture_default_str();
  command->add_option("--mac", texts->mac,
                      "The first card's address (default: one that follows from --name)");
  add_list("--tmpfs", texts->memory_folders,
           "An empty folder in the machine's memory, for what need not stay; SIZE as for -m (default: half "
           "of the memory)",
           "PATH[:SIZE]");
  command->add_flag(
      "--read-only", texts->read_only,
      "The program cannot change its image's files; --tmpfs and --volume are for what it writes");
  add_list("--env", texts->environment,
           "Set a variable of the program's environment; NAME alone takes the value that it has here",
           "NAME[=VALUE]");
  add_list("--env-file", texts->environment_files, "Set the variables in this file, a line each", "FILE");
  add_list("--config", texts->configs, "Put one file of the host into this run, in place of the image's",
           "HOST:GUEST");
  add_list(
      "--secret", texts->secrets,
      "A file /run/secrets/NAME that only the program's user can read, with what FILE or the variable NAME "
      "holds here; it is in no log and in no image",
      "NAME[=FILE|=$VARIABLE]");
  command
      ->add_option(
          "--entrypoint", texts->entrypoint,
          "Another program of the image, by path or by its name in PATH; without the image's arguments")
      ->type_name("PROGRAM");
  add_guest_options(*command, texts->guest, GuestDefaults::of_image);
  add_life_options(*command, texts->life);
  command->add_option("-m,--memory", texts->memory,
                      "Memory of the machine: 64M, 1G (default: 256M, or more if the image needs it)");
  command->add_option("--cpus", texts->cpus, "Number of virtual CPUs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      ->add_option("--timeout", texts->timeout, "Stop the machine after this many seconds and exit with 124")
      ->type_name("SECONDS");
  command
      ->add_option("--accel", texts->accelerator, "kvm, tcg, or auto: kvm if a kernel really boots under it")
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}))
      ->capture_default_str();
  command->add_option(
      "--machine", texts->machine,
      "QEMU's machine type: q35, pc, microvm, or a version of these like pc-q35-6.2; properties may "
      "follow: pc,hpet=off. Under the translator it has no ACPI unless asked for: q35,acpi=on (default: q35, "
      "or "
      "microvm for an image whose kernel has no PCI)");
  command
      ->add_option("--trace-calls", texts->trace,
                   "Learns which system calls the program makes, and adds them to this file for ukl pack "
                   "--calls @FILE; the program runs more slowly and nothing is masked")
      ->type_name("FILE");
  command
      ->add_option_function<std::string>("--trace-syscalls",
                                         [texts](const std::string& file) {
                                           note_old_option("--trace-syscalls", "--trace-calls");
                                           texts->trace = file;
                                         })
      ->group("");
  command->add_option("--append", texts->append, "Further kernel parameters");
  add_list("--qemu-arg", texts->qemu_arguments, "A further argument for QEMU (write --qemu-arg=-device)",
           "ARGUMENT");
  command->add_flag("--dry-run", texts->dry_run, "Print QEMU's command line and do nothing else");
  command->add_flag(
      "--time", texts->time,
      "At the end, print on standard error where the time went: the tool, QEMU, its firmware, Linux, "
      "init, the program and its first output, the end; with --json, in that line");
  command
      ->add_option(
          "--bootchart", texts->bootchart,
          "Draw that, and the steps in which Linux starts, as a picture (SVG) in this file; with them "
          "Linux starts more slowly")
      ->type_name("FILE");
  command->add_flag("--json", texts->json,
                    "At the end, print status and times as one line of JSON on standard error");
}

namespace {

void add_run(CLI::App& app, Action& action) {
  auto texts = std::make_shared<RunTexts>();
  auto* command = app.add_subcommand("run", "Boot an image in QEMU and exit with its program's status");
  add_run_options(*command, texts);
  command->footer(
      "The program's standard streams are ours: a terminal, a pipe or file, /dev/null, or closed. Linux's\n"
      "own messages come on standard error. Every signal goes to the program, and so do the keys of a\n"
      "terminal; before it has started, Ctrl-C and SIGTERM stop the machine. Ctrl-] three times within a\n"
      "second stops it at any time. The machine ends with the program; but if that ends with 0 and has left\n"
      "a daemon, with the last process. The exit status is the program's, 128 + signal if a signal ended\n"
      "it, 124 after --timeout, 125 if the machine could not be set up, 126 if the program cannot be\n"
      "executed, 127 if it is not in the image.\n"
      "Examples:\n"
      "  ukl run memcached.ukl -p 11211:11211 -m 512M -- -u root -m 256\n"
      "  ukl run -d --wait-ready tcp:11211 memcached.ukl -p 11211:11211");
  command->callback([texts, &action] { action = [texts] { return run_image(*texts); }; });
}

const RegisterCommand registration{30, add_run};

} // namespace
} // namespace ukl
