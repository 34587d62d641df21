// SPDX-License-Identifier: GPL-2.0-only
#include "profile.hpp"
#include "elf/view.hpp"
#include "operations.hpp"
#include "running_server.hpp"
#include "support/files.hpp"
#include "support/process.hpp"
#include "symbols.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

constexpr double kBatches = 16; // of bench/guest/operations/main.c: one that warms up, and those that count
constexpr double kSeconds = 3;  // how long a server is under load

// The kernel lies where its file says, as static programs do.
constexpr const char* kSymbolsStay = " nokaslr";

Result<Functions> functions_of_program(const fs::path& path) {
  auto bytes = read_file(path);
  if (!bytes)
    return bytes.error();
  auto view = rewrite::ElfView::parse(*bytes, path.string());
  if (!view)
    return view.error();
  Functions functions;
  for (const auto& symbol : view->symbols()) {
    functions[symbol.address] = symbol.name;
    // What follows belongs to nobody until the next symbol: the rewriter's stubs, for one.
    if (symbol.size != 0)
      functions.try_emplace(symbol.address + symbol.size, "(code without a name)");
  }
  return functions;
}

double operations_in(const std::string& console) {
  const std::string word = " operations=";
  const auto found = console.find(word);
  return found == std::string::npos ? 0 : std::strtod(console.c_str() + found + word.size(), nullptr);
}

std::string table_of(const std::map<std::string, double>& functions, double operations) {
  std::vector<std::pair<std::string, double>> rows(functions.begin(), functions.end());
  std::ranges::sort(rows, std::greater(), &std::pair<std::string, double>::second);
  double total = 0;
  for (const auto& [name, count] : rows)
    total += count / operations;
  std::string text = fmt::format("{:>10.1f}  instructions each, of which\n", total);
  for (const auto& [name, count] : rows)
    if (count / operations >= 0.5)
      text += fmt::format("{:>10.1f}  {}\n", count / operations, name);
  return text;
}

// Without `program`, its functions are one line.
Result<std::map<std::string, double>> spent_by_function(const fs::path& counts, const Functions& kernel,
                                                        const Functions* program) {
  TRY_LET(const auto all, read_counts(counts));
  std::map<std::string, double> spent;
  for (const auto& [address, count] : all) {
    const bool in_kernel = address >> 63;
    if (in_kernel)
      spent[name_in(kernel, address)] += count;
    else
      spent[program ? name_in(*program, address) + " (program)" : "(the program and its libraries)"] += count;
  }
  return spent;
}

Result<Functions> functions_of_system(const System& system) {
  if (!system.ours)
    return Error{Failure::usage, fmt::format("{} has no symbols to profile by", system.name),
                 "choose one of ours: --system direct"};
  return functions_of_kernel(system.file);
}

} // namespace

Result<std::string> profile_operation(const ProfilePlan& plan) {
  auto kernel = functions_of_system(plan.system);
  if (!kernel)
    return kernel.error();
  auto program = functions_of_program(plan.program);
  if (!program)
    return program.error();
  auto folder = TemporaryFolder::create("ukl-bench");
  if (!folder)
    return folder.error();
  auto machine = make_machine(plan.system, operations_program(plan.program), folder->path());
  if (!machine)
    return machine.error();
  machine->count_instructions = true;
  machine->options.arguments = {"instructions", plan.what};
  machine->options.append += kSymbolsStay;
  const auto counts = folder->path() / "counts";
  machine->plugin = fmt::format("{},out={}", plan.plugin.string(), counts.string());
  TRY_LET(const auto command, boot_command(*machine));
  auto output = run_command(command);
  if (!output)
    return output.error();
  const auto operations = operations_in(output->text) * kBatches;
  if (operations == 0)
    return Error{Failure::usage, fmt::format("{} was not measured: {}", plan.what, output->text),
                 "bench/run operations prints the names of all operations"};
  auto spent = spent_by_function(counts, *kernel, &*program);
  if (!spent)
    return spent.error();
  return table_of(*spent, operations);
}

Result<std::string> profile_workload(const ProfilePlan& plan) {
  auto kernel = functions_of_system(plan.system);
  if (!kernel)
    return kernel.error();
  auto server = make_server(plan.what.substr(0, plan.what.find(' ')), plan.start);
  if (!server)
    return server.error();
  const auto workload = std::ranges::find(server->workloads, plan.what, &Workload::name);
  if (workload == server->workloads.end())
    return Error{Failure::usage, fmt::format("there is no load {}", plan.what),
                 "bench/run applications prints the names of all loads"};
  auto folder = TemporaryFolder::create("ukl-bench");
  if (!folder)
    return folder.error();
  auto machine = make_machine(plan.system, server->program, folder->path());
  if (!machine)
    return machine.error();
  machine->options.append += kSymbolsStay;
  const auto counts = folder->path() / "counts", window = folder->path() / "window";
  machine->plugin =
      fmt::format("{},out={},window={}", plan.plugin.string(), counts.string(), window.string());
  auto running = RunningServer::start(*machine, *server, folder->path() / "console");
  if (!running)
    return running.error();
  if (server->fill)
    if (auto filled = server->fill(running->address()); !filled)
      return filled.error();
  if (auto opened = write_text(window, ""); !opened)
    return opened.error();
  auto load = workload->run(running->address(), kSeconds);
  if (!load)
    return load.error();
  running->stop(); // the plugin writes
  auto spent = spent_by_function(counts, *kernel, nullptr);
  if (!spent)
    return spent.error();
  if (spent->empty())
    return Error{Failure::machine,
                 fmt::format("nothing was counted: the CPU was never idle under {}", plan.what),
                 "choose a load or a system that leaves it idle at times"};
  return table_of(*spent, load->sent);
}

} // namespace ukl::bench
