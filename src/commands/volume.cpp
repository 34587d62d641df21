// SPDX-License-Identifier: GPL-2.0-only
// `ukl volume …`: disks that have names.
#include "commands/command.hpp"
#include "machine/named_volumes.hpp"
#include "machine/options.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

struct Options {
  std::string name, to, size = "1G";
  std::filesystem::path from;
  std::vector<std::string> names;
  bool json = false;
};

Result<int> create(const Options& options) {
  catch_interrupts();
  TRY_LET(const auto places, read_places());
  TRY_LET(const auto size, parse_size(options.size));
  TRY(create_volume(places.volumes, options.name, size, options.from));
  print_output(options.name + "\n");
  return 0;
}

Result<int> list(const Options& options) {
  TRY_LET(const auto places, read_places());
  const auto volumes = named_volumes(places.volumes);
  if (options.json) {
    auto table = nlohmann::ordered_json::array();
    for (const auto& volume : volumes)
      table.push_back({{"name", volume.name},
                       {"size", volume.size},
                       {"used", volume.used},
                       {"in_use", volume.in_use},
                       {"file", volume.file.string()}});
    print_output(table.dump(2) + "\n");
    return 0;
  }
  print_output(fmt::format("{:24} {:>10} {:>10}  {}\n", "NAME", "SIZE, MiB", "USED, MiB", "STATE"));
  for (const auto& volume : volumes)
    print_output(fmt::format("{:24} {:>10} {:>10.1f}  {}\n", volume.name, volume.size >> 20,
                             static_cast<double>(volume.used) / (1 << 20),
                             volume.in_use ? "in use" : "free"));
  return 0;
}

Result<int> remove(const Options& options) {
  TRY_LET(const auto places, read_places());
  for (const auto& name : options.names) {
    TRY(remove_volume(places.volumes, name));
    print_output(name + "\n");
  }
  return 0;
}

Result<int> copy(const Options& options) {
  catch_interrupts();
  TRY_LET(const auto places, read_places());
  TRY(copy_volume(places.volumes, options.name, options.to));
  print_output(options.to + "\n");
  return 0;
}

void add_volume(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* volume = app.add_subcommand("volume", "Disks that have names and outlive machines");
  volume->require_subcommand(1);
  volume->footer(
      "A volume is a file with an ext4 file system in $UKL_STATE, or else ~/.local/state/ukl. One machine\n"
      "has it at a time; it is checked at each start.\n"
      "Example:\n"
      "  ukl volume create data -s 10G");
  const auto add = [&](const char* name, const char* text, Result<int> (*run)(const Options&)) {
    auto* command = volume->add_subcommand(name, text);
    command->callback([&action, options, run] { action = [options, run] { return run(*options); }; });
    return command;
  };
  auto* create_command = add("create", "Make a volume, for ukl run --volume NAME:PATH", create);
  create_command->add_option("NAME", options->name, "Its name")->required();
  create_command->add_option("-s,--size", options->size, "Its size: 512M, 10G; it takes room as it is filled")
      ->capture_default_str();
  create_command->add_option("--from", options->from, "Begin with what this folder holds")
      ->type_name("FOLDER");
  add("ls", "List the volumes", list)
      ->add_flag("--json", options->json, "Print an array of objects, in bytes");
  add("rm", "Remove volumes, with all that they hold", remove)
      ->add_option("NAME", options->names, "Volumes")
      ->required();
  auto* copy_command = add("cp", "Make a volume that holds the same as another", copy);
  copy_command->add_option("FROM", options->name, "A volume that no machine has")->required();
  copy_command->add_option("TO", options->to, "The new one's name")->required();
}

const RegisterCommand registration{43, add_volume};

} // namespace
} // namespace ukl
