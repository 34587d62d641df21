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
};

void print_table(const std::vector<KnownMachine>& machines) {
  std::vector<std::array<std::string, 4>> rows = {{"NAME", "IMAGE", "STATUS", "PORTS"}};
  for (const auto& machine : machines) {
    std::string ports;
    for (const auto& port : machine.plan.ports)
      ports += (ports.empty() ? "" : ", ") + port;
    rows.push_back({machine.plan.name, std::filesystem::path(machine.plan.image).filename().string(),
                    machine.sentence(now()), ports});
  }
  std::array<std::size_t, 3> widths = {};
  for (const auto& row : rows)
    for (std::size_t column = 0; column < widths.size(); ++column)
      widths.at(column) = std::max(widths.at(column), row.at(column).size());
  for (const auto& row : rows) {
    auto line = fmt::format("{:{}}  {:{}}  {:{}}  {}", row[0], widths[0], row[1], widths[1], row[2],
                            widths[2], row[3]);
    print_output(line.substr(0, line.find_last_not_of(' ') + 1) + "\n");
  }
}

Result<int> run(const Options& options) {
  TRY_LET(const auto places, read_places());
  auto machines = known_machines(places.machines);
  if (!options.all)
    std::erase_if(machines, [](const auto& machine) { return machine.phase() == "exited"; });
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
