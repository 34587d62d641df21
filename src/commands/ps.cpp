// SPDX-License-Identifier: GPL-2.0-only
// `ukl ps`: which machines there are.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/record_json.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

struct Options {
  bool all = false, json = false, quiet = false;
  std::string project;
};

void print_table(const std::vector<KnownMachine>& machines) {
  // Most people have no projects.
  const bool projects =
      std::ranges::any_of(machines, [](const auto& machine) { return !machine.plan.project.empty(); });
  std::vector<std::vector<std::string>> rows = {{"NAME", "IMAGE", "STATUS", "PORTS"}};
  for (const auto& machine : machines) {
    std::string ports;
    for (const auto& port : machine.plan.ports)
      ports += (ports.empty() ? "" : ", ") + port;
    rows.push_back({machine.plan.name, std::filesystem::path(machine.plan.image).filename().string(),
                    machine.sentence(now()), ports});
  }
  if (projects) {
    rows[0].insert(rows[0].begin() + 1, "PROJECT");
    for (std::size_t index = 0; index < machines.size(); ++index)
      rows[index + 1].insert(rows[index + 1].begin() + 1, machines[index].plan.project);
  }
  std::vector<std::size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (std::size_t column = 0; column < widths.size(); ++column)
      widths.at(column) = std::max(widths.at(column), row.at(column).size());
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < widths.size(); ++column)
      line += fmt::format("{:{}}  ", row.at(column), widths.at(column));
    print_output(line.substr(0, line.find_last_not_of(' ') + 1) + "\n");
  }
}

Result<int> run(const Options& options) {
  TRY_LET(const auto places, read_places());
  auto machines = known_machines(places.machines);
  if (!options.all)
    std::erase_if(machines, [](const auto& machine) { return machine.phase() == "exited"; });
  if (!options.project.empty())
    std::erase_if(machines, [&](const auto& machine) { return machine.plan.project != options.project; });
  if (options.json) {
    auto table = nlohmann::ordered_json::array();
    for (const auto& machine : machines)
      table.push_back(report(machine, now()));
    print_output(table.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  } else if (options.quiet) {
    for (const auto& machine : machines)
      print_output(machine.plan.name + "\n");
  } else {
    print_table(machines);
  }
  return 0;
}

void add_ps(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("ps", "List the machines that run, and with -a those that have ended");
  command->add_flag("-a,--all", options->all, "Also those that have ended, until ukl rm removes them");
  command->add_flag("-q,--quiet", options->quiet, "Print names only");
  command->add_option("-p,--project", options->project, "Only those of this project (ukl up)")
      ->type_name("NAME");
  command->add_flag("--json", options->json, "Print an array of objects, with all that is known");
  command->footer(
      "STATUS says how a machine ended: Exited (0), Out of memory in the guest: NAME, Kernel\n"
      "panic: REASON, Killed by the host. What is known of a machine lies in a folder of its own\n"
      "in $UKL_STATE, or else ~/.local/state/ukl.\n"
      "Example:\n"
      "  ukl ps -a");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{31, add_ps};

} // namespace
} // namespace ukl
