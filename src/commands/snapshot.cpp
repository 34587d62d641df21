// SPDX-License-Identifier: GPL-2.0-only
// `ukl snapshot`: boots an image once and keeps the machine when its program is ready.
#include "commands/command.hpp"
#include "machine/accelerator.hpp"
#include "machine/fit_machine.hpp"
#include "machine/line_watch.hpp"
#include "machine/run.hpp"
#include "machine/warm_machine.hpp"
#include "support/files.hpp"
#include "support/terminal.hpp"

#include <charconv>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path image, output;
  std::string when, memory, machine, accelerator = "auto", timeout = "120";
  unsigned cpus = 1;
};

// `tcp:PORT`, `log:REGEX` or `started`; empty: the first TCP port that the image names.
Result<void> read_when(const std::string& when, const Manifest& image, MachineOptions::Warm& warm) {
  std::string port = when;
  if (when.empty())
    for (const auto& named : values_of(image, key::port))
      if (port.empty() && named.ends_with("/tcp"))
        port = "tcp:" + named.substr(0, named.find('/'));
  if (when == "started")
    return {};
  if (when.starts_with("log:")) {
    TRY_LET(warm.line, LineWatch::create(when.substr(4)));
    return {};
  }
  std::uint16_t number = 0;
  if (port.starts_with("tcp:")) {
    const auto [end, error] = std::from_chars(port.data() + 4, port.data() + port.size(), number);
    if (error == std::errc() && end == port.data() + port.size() && number != 0) {
      warm.port = number;
      return {};
    }
  }
  return Error{
      Failure::usage,
      when.empty() ? "when is the program ready?" : fmt::format("--when {} is not understood", when),
      "--when tcp:PORT (somebody listens there), --when log:REGEX (it says that) or --when started; an "
      "image made with --expose PORT says it itself"};
}

Result<MachineOptions> plan(const Options& options, const ImageInfo& image) {
  MachineOptions machine;
  machine.image = options.image;
  machine.cpus = options.cpus;
  machine.machine = options.machine;
  machine.memory = 0;
  if (options.accelerator != "auto")
    machine.accelerator = options.accelerator == "kvm" ? Accelerator::kvm : Accelerator::tcg;
  TRY_LET(machine.timeout, parse_timeout(options.timeout));
  TRY(read_when(options.when, image.manifest, machine.warm));
  if (!options.memory.empty()) {
    TRY_LET(machine.memory, parse_size(options.memory));
  }
  TRY(fit_machine(qemu(), image, machine));
  if (machine.warm.port != 0)
    machine.awaited.push_back(machine.warm.port);
  if (machine.accelerator == Accelerator::automatic)
    machine.accelerator = choose_accelerator(probe_with(machine));
  return machine;
}

// Made beside its place and moved there when it is whole.
Result<int> snapshot(const Options& options) {
  TRY_LET(const auto image, read_image(options.image));
  TRY_LET(auto machine, plan(options, image));
  const auto output =
      options.output.empty() ? fs::path(options.image.stem().string() + ".warm") : options.output;
  std::error_code failure;
  if (fs::exists(output, failure) && !is_warm_machine(output))
    return Error{Failure::unwritable, fmt::format("{} is there, and is no kept machine", output.string()),
                 "name another with -o"};
  TRY_LET(auto folder, TemporaryFolder::create_beside(output));
  machine.warm.use = MachineOptions::Warm::Use::keep;
  machine.warm.folder = fs::absolute(folder.path());
  TRY_LET(const auto warm, plan_warm_machine(machine, folder.path()));
  fs::copy_file(options.image, warm.image_file(), failure);
  if (failure)
    return file_error(warm.image_file(), "write", failure.value());

  TRY_LET(const auto end, run_machine(machine, image.manifest));
  if (!fs::exists(warm.state_file(), failure) || fs::file_size(warm.state_file(), failure) == 0)
    return Error{Failure::not_ready,
                 fmt::format("{} ended with {} before it was ready", options.image.string(), end.status),
                 "another --when, or a longer --timeout"};
  TRY(write_warm_machine(warm));
  TRY(folder.become(output));
  print_note(fmt::format("{}: kept after {:.2f} s; ukl run {} goes on from there", output.string(),
                         std::chrono::duration<double>(end.total).count(), output.string()));
  return 0;
}

void add_snapshot(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("snapshot", "Boot an image once and keep its machine when it is ready");
  auto options = std::make_shared<Options>();
  command->add_option("image", options->image, "The image, as made by ukl pack or ukl build")->required();
  command->add_option("-o,--output", options->output, "The folder (default: the image's name with .warm)");
  command
      ->add_option(
          "--when", options->when,
          "When the program is ready: tcp:PORT (somebody listens there), log:REGEX (a line of its output "
          "matches) or started (default: the first TCP port that the image names)")
      ->type_name("tcp:PORT|log:REGEX|started");
  command->add_option("-m,--memory", options->memory,
                      "Memory of the machine (default: as for ukl run); it is the same in every run");
  command->add_option("--cpus", options->cpus, "CPUs of the machine")->capture_default_str();
  command->add_option("--machine", options->machine, "QEMU's machine type (default: as for ukl run)");
  command->add_option("--accel", options->accelerator, "kvm, tcg (QEMU's translator) or auto")
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "kvm", "tcg"}));
  command->add_option("--timeout", options->timeout, "Give up after this many seconds")
      ->capture_default_str();
  command->footer(
      "`ukl run FOLDER` goes on from there: at once, with the memory mapped from the folder, so that pages "
      "come\n"
      "when they are used and several machines share them. What belongs to a run is this run's: its ports,\n"
      "address, name, configuration files and secrets; the clock is set, and Linux's random numbers begin "
      "anew.\n"
      "What the program has computed already is the same in every run: its variables and arguments, and "
      "random\n"
      "numbers that it draws from a seed of its own. With another QEMU, memory size or processor the "
      "machine\n"
      "starts cold, and says so.\n\n"
      "  ukl snapshot memcached.ukl --when tcp:11211\n"
      "  ukl run memcached.warm -p 11211:11211");
  command->callback([options, &action] { action = [options] { return snapshot(*options); }; });
}

RegisterCommand registered{32, add_snapshot};

} // namespace
} // namespace ukl
