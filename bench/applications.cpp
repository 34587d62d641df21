// SPDX-License-Identifier: GPL-2.0-only
#include "applications.hpp"
#include "running_server.hpp"
#include "support/interrupt.hpp"
#include "support/terminal.hpp"
#include "tap_network.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <optional>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

bool is_wanted(const std::vector<std::string>& only, const std::string& workload) {
  return only.empty() ||
         std::ranges::any_of(only, [&](const auto& word) { return workload.starts_with(word); });
}

Cell& cell_of(Part& part, const std::string& row, const std::string& system) {
  auto found = std::ranges::find(part.rows, row, &Row::name);
  if (found == part.rows.end())
    found = part.rows.insert(part.rows.end(), Row{row, {}});
  return found->cells[system];
}

// The plugin's counter, as it stands now.
double count_in(const fs::path& file) {
  auto bytes = read_file(file);
  std::uint64_t count = 0;
  if (bytes && bytes->size() == sizeof count)
    std::memcpy(&count, bytes->data(), sizeof count);
  return static_cast<double>(count);
}

// Boots one server on one system and puts its loads on it.
class Boot {
public:
  Boot(const ApplicationsPlan& plan, const Server& server, const std::string& system, Part& part)
      : plan_(plan), server_(server), system_(system), part_(part) {}

  // With `counter` instructions are counted, in less time and without the figures that the counting
  // falsifies.
  Result<void> run(Machine machine, const fs::path& folder, const fs::path& counter) {
    if (!counter.empty())
      machine.plugin = fmt::format("{},out={}", plan_.plugin.string(), counter.string());
    auto running = RunningServer::start(machine, server_, folder / "console");
    if (!running)
      return fail_all(running.error());
    if (server_.fill)
      if (auto filled = server_.fill(running->address()); !filled)
        return fail_all(filled.error());
    for (const auto& workload : server_.workloads)
      if (is_wanted(plan_.only, workload.name))
        if (auto measured = measure(workload, running->address(), counter); !measured)
          return measured;
    return {};
  }

private:
  Result<void> measure(const Workload& workload, const Address& address, const fs::path& counter) {
    auto& cell = cell_of(part_, workload.name, system_);
    const double before = count_in(counter);
    auto load = workload.run(address, counter.empty() ? plan_.seconds : plan_.seconds / 2);
    if (!load)
      return fail(cell, load.error());
    if (!counter.empty()) {
      cell.instructions.values.push_back((count_in(counter) - before) / load->sent);
      return {};
    }
    cell.value.values.push_back(load->rate);
    cell.latency_50.values.push_back(load->latency_50);
    cell.latency_99.values.push_back(load->latency_99);
    return {};
  }

  // A failure belongs to its cell; only what stops the whole benchmark is passed on.
  static Result<void> fail(Cell& cell, const Error& error) {
    if (error.failure == Failure::interrupted || error.failure == Failure::missing_tool)
      return error;
    cell.failure = error.message;
    return {};
  }

  Result<void> fail_all(const Error& error) {
    print_error(error);
    for (const auto& workload : server_.workloads)
      if (is_wanted(plan_.only, workload.name))
        if (auto failed = fail(cell_of(part_, workload.name, system_), error); !failed)
          return failed;
    return {};
  }

  const ApplicationsPlan& plan_;
  const Server& server_;
  const std::string& system_;
  Part& part_;
};

// The server's files and, on kernels that need them, the modules for the network.
Result<Machine> machine_of(const System& system, const Server& server, const fs::path& folder) {
  RootTree tree = server.tree;
  for (std::size_t i = 0; i < system.network_modules.size(); ++i)
    if (auto added =
            tree.add(fmt::format("/bench/modules/{:02}.ko", i), host_entry(system.network_modules[i], 0644));
        !added)
      return added.error();
  return make_machine(system, tree, folder);
}

Result<void> measure_server(const ApplicationsPlan& plan, const Server& server, Part& part) {
  auto folder = TemporaryFolder::create("ukl-bench");
  if (!folder)
    return folder.error();
  std::vector<Machine> machines;
  for (const auto& system : plan.systems) {
    auto machine = machine_of(system, server, folder->path());
    if (!machine)
      return machine.error();
    machine->tap = plan.tap;
    machines.push_back(*machine);
  }
  std::optional<TapNetwork> network;
  if (plan.tap) {
    auto entered = TapNetwork::enter();
    if (!entered)
      return entered.error();
    network.emplace(std::move(*entered));
  }
  const bool counts = !plan.plugin.empty();
  const std::size_t count = machines.size(), passes = plan.rounds + counts;
  Progress progress(server.name, passes * count);
  for (std::size_t done = 0; done < passes * count; ++done) {
    const auto round = done / count, which = (done + round) % count;
    const bool counting = round == plan.rounds;
    progress.update(done,
                    fmt::format("{}, {}", counting ? "instructions" : fmt::format("round {}", round + 1),
                                plan.systems[which].name));
    Boot boot(plan, server, plan.systems[which].name, part);
    if (auto booted =
            boot.run(machines[which], folder->path(), counting ? folder->path() / "counter" : fs::path());
        !booted)
      return booted;
  }
  progress.update(passes * count);
  return {};
}

} // namespace

Result<void> measure_applications(const ApplicationsPlan& plan, Part& part) {
  for (const auto& system : plan.systems)
    part.systems.push_back({system.name, system.title, system.kernel});
  for (const auto& name : known_servers()) {
    const auto concerns = [&](const std::string& word) { return word.starts_with(name); };
    if (!plan.only.empty() && std::ranges::none_of(plan.only, concerns))
      continue;
    auto server = make_server(name, plan.start);
    if (!server)
      return server.error();
    part.programs.insert(server->versions.begin(), server->versions.end());
    if (auto measured = measure_server(plan, *server, part); !measured)
      return measured;
  }
  return {};
}

} // namespace ukl::bench
