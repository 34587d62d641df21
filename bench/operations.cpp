// SPDX-License-Identifier: GPL-2.0-only
#include "operations.hpp"
#include "support/interrupt.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <sstream>

namespace ukl::bench {
namespace {

constexpr const char* kTimeLimit = "600"; // seconds for one boot, on a busy machine
constexpr int kMoreTries = 2;

double field(const std::string& line, const std::string& name) {
  const auto found = line.find(" " + name + "=");
  return found == std::string::npos ? 0 : std::strtod(line.c_str() + found + name.size() + 2, nullptr);
}

Row& row_of(Part& part, const std::string& name) {
  const auto found = std::ranges::find(part.rows, name, &Row::name);
  if (found != part.rows.end())
    return *found;
  return part.rows.emplace_back(Row{name, {}});
}

void append(Samples& to, const Samples& from) {
  to.values.insert(to.values.end(), from.values.begin(), from.values.end());
}

void add(Part& part, const std::string& system, const std::map<std::string, Cell>& cells,
         const std::vector<std::string>& order) {
  for (const auto& name : order) {
    const auto found = cells.find(name);
    if (found == cells.end())
      continue;
    auto& cell = row_of(part, name).cells[system];
    append(cell.value, found->second.value);
    append(cell.instructions, found->second.instructions);
    append(cell.mean_instructions, found->second.mean_instructions);
    if (!found->second.failure.empty())
      cell.failure = found->second.failure;
  }
}

// The names in a console's `result` and `failed` lines, in order.
std::vector<std::string> names_in(const std::string& console) {
  std::vector<std::string> names;
  std::istringstream lines(console);
  for (std::string word, name; lines >> word;)
    if ((word == "result" || word == "failed") && lines >> name)
      names.push_back(name);
  return names;
}

// One boot's console. On a busy host Linux may find its emulated timer too slow and give up: then another
// try.
Result<Output> run_console(const Machine& machine) {
  std::vector<std::string> command = {"timeout", kTimeLimit};
  TRY_LET(const auto boot, boot_command(machine));
  command.insert(command.end(), boot.begin(), boot.end());
  auto output = run_command(command);
  for (int again = 0;
       again < kMoreTries && output && !interrupted() && output->text.find("\nbegin ") == std::string::npos &&
       !output->text.starts_with("begin ");
       ++again)
    output = run_command(command);
  return output;
}

Result<void> boot(Machine machine, const System& system, bool instructions,
                  const std::vector<std::string>& only, Part& part) {
  machine.count_instructions = instructions;
  machine.options.arguments = only;
  machine.options.arguments.insert(machine.options.arguments.begin(), instructions ? "instructions" : "wall");
  auto output = run_console(machine);
  if (!output)
    return output.error();
  add(part, system.name, parse_operations(output->text, instructions), names_in(output->text));
  // Whoever reads the figures must know of a machine that stopped half-way.
  if (output->text.find("\nend") == std::string::npos) {
    print_note(fmt::format("{} did not finish (status {}); its console:\n{}", system.name, output->status,
                           output->text));
    for (auto& row : part.rows)
      if (auto& cell = row.cells[system.name]; cell.value.empty() && cell.instructions.empty())
        cell.failure = "the machine ended before it";
  }
  return {};
}

} // namespace

std::map<std::string, Cell> parse_operations(const std::string& console, bool instructions) {
  std::map<std::string, Cell> cells;
  std::istringstream lines(console);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r')
      line.pop_back();
    std::istringstream words(line);
    std::string kind, name;
    words >> kind >> name;
    if (kind == "failed")
      cells[name].failure = line.substr(std::min(line.size(), kind.size() + name.size() + 2));
    if (kind != "result")
      continue;
    if (instructions) {
      cells[name].instructions.values = {field(line, "median")};
      cells[name].mean_instructions.values = {field(line, "mean")};
    } else {
      cells[name].value.values = {field(line, "min")};
    }
  }
  return cells;
}

GuestProgram operations_program(const std::filesystem::path& program) {
  GuestProgram guest;
  guest.file = program;
  guest.path = "/usr/bin/operations";
  return guest;
}

Result<void> measure_operations(const OperationsPlan& plan, Part& part) {
  auto folder = TemporaryFolder::create("ukl-bench");
  if (!folder)
    return folder.error();
  std::vector<Machine> machines;
  for (const auto& system : plan.systems) {
    part.systems.push_back({system.name, system.title, system.kernel});
    auto machine = make_machine(system, operations_program(plan.program), folder->path());
    if (!machine)
      return machine.error();
    if (!plan.times)
      machine->options.append += " norandmaps";
    machines.push_back(*machine);
  }
  const auto progress =
      terminal_reporter().progress("operations", plan.systems.size() * plan.rounds * (plan.times ? 2 : 1));
  std::uint64_t done = 0;
  for (unsigned round = 1; round <= plan.rounds; ++round)
    for (const bool instructions : {true, false})
      for (std::size_t i = 0; i < machines.size() && (instructions || plan.times); ++i) {
        const auto& system = plan.systems[i];
        progress->update(done++, fmt::format("{}, round {}, {}", instructions ? "instructions" : "time",
                                             round, system.name));
        // A memory layout of its own for each round: how many page tables a process needs depends on it.
        machines[i].seed = round;
        if (auto booted = boot(machines[i], system, instructions, plan.only, part); !booted)
          return booted;
        if (interrupted())
          return Error{Failure::interrupted, "the benchmark was interrupted", ""};
      }
  progress->update(done);
  return {};
}

} // namespace ukl::bench
