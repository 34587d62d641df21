// SPDX-License-Identifier: GPL-2.0-only
// `ukl stats`: what machines take of this one.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/usage.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <poll.h>

namespace ukl {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kInterval{500};

struct Options {
  std::vector<std::string> names;
  bool json = false;
};

struct Row {
  KnownMachine machine;
  Usage before, after;
  double cpu_percent() const {
    return 100.0 * static_cast<double>((after.cpu - before.cpu).count()) /
           static_cast<double>(kInterval.count());
  }
};

Result<std::vector<Row>> running(const std::vector<std::string>& names) {
  std::vector<Row> rows;
  if (names.empty()) {
    TRY_LET(const auto places, read_places());
    for (auto& machine : known_machines(places.machines))
      if (machine.alive && machine.state.qemu > 0)
        rows.push_back({std::move(machine), {}, {}});
    return rows;
  }
  for (const auto& name : names) {
    TRY_LET(auto machine, find_machine(name));
    if (!machine.alive || machine.state.qemu <= 0)
      return Error{Failure::no_such_machine, fmt::format("{} does not run", name),
                   "ukl ps lists those that do"};
    rows.push_back({std::move(machine), {}, {}});
  }
  return rows;
}

void print_json(const std::vector<Row>& rows) {
  auto table = nlohmann::ordered_json::array();
  for (const auto& row : rows)
    table.push_back({{"name", row.machine.plan.name},
                     {"cpu_percent", row.cpu_percent()},
                     {"cpu_seconds", static_cast<double>(row.after.cpu.count()) / 1000},
                     {"memory", row.after.memory},
                     {"memory_most", row.machine.plan.memory},
                     {"read_bytes", row.after.read},
                     {"written_bytes", row.after.written},
                     {"threads", row.after.threads}});
  print_output(table.dump(2) + "\n");
}

void print_table(const std::vector<Row>& rows) {
  print_output(fmt::format("{:20} {:>7} {:>20} {:>10} {:>18}\n", "NAME", "CPU %", "MEMORY / MOST, MiB",
                           "CPU s", "READ / WRITTEN, MiB"));
  const auto mebibytes = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  for (const auto& row : rows)
    print_output(fmt::format(
        "{:20} {:7.1f} {:>20} {:10.1f} {:>18}\n", row.machine.plan.name, row.cpu_percent(),
        fmt::format("{:.0f} / {:.0f}", mebibytes(row.after.memory), mebibytes(row.machine.plan.memory)),
        static_cast<double>(row.after.cpu.count()) / 1000,
        fmt::format("{:.1f} / {:.1f}", mebibytes(row.after.read), mebibytes(row.after.written))));
}

Result<int> run(const Options& options) {
  TRY_LET(auto rows, running(options.names));
  for (auto& row : rows)
    row.before = usage_of(row.machine.state.qemu);
  catch_interrupts();
  pollfd wait = {interrupt_descriptor(), POLLIN, 0};
  poll(&wait, 1, static_cast<int>(kInterval.count()));
  for (auto& row : rows)
    row.after = usage_of(row.machine.state.qemu);
  (options.json ? print_json : print_table)(rows);
  return 0;
}

void add_stats(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("stats", "Print what machines take of this one: CPU, memory, disk");
  command->add_option("NAME", options->names, "Machines (default: all that run)");
  command->add_flag("--json", options->json, "Print an array of objects; memory in bytes");
  command->footer(
      "CPU is measured for half a second; above 100 % for several virtual CPUs. Memory is what QEMU\n"
      "holds of this machine's, itself included, and the most that its guest may have.\n"
      "Example:\n"
      "  ukl stats");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{40, add_stats};

} // namespace
} // namespace ukl
