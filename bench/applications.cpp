// SPDX-License-Identifier: GPL-2.0-only
#include "applications.hpp"
#include "running_server.hpp"
#include "support/interrupt.hpp"
#include "support/terminal.hpp"
#include "tap_network.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <memory>
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

// A failure belongs to its cell; only what stops the whole benchmark is passed on.
Result<void> fail(Cell& cell, const Error& error) {
  if (error.failure == Failure::interrupted || error.failure == Failure::missing_tool)
    return error;
  cell.failure = error.message;
  return {};
}

// One server on one system, running in a network of its own.
class Guest {
public:
  static Result<Guest> boot(const Machine& machine, const Server& server, const fs::path& console) {
    FileDescriptor network;
    if (machine.tap) {
      auto made = make_tap_network();
      if (!made)
        return made.error();
      network = std::move(*made);
    }
    const auto visit = enter(network);
    if (!visit)
      return visit.error();
    auto running = RunningServer::start(machine, server, console);
    if (!running)
      return running.error();
    if (server.fill)
      if (auto filled = server.fill(running->address()); !filled)
        return filled.error();
    return Guest(std::move(network), std::move(*running));
  }

  Result<Load> put(const Workload& workload, double seconds) const {
    const auto visit = enter(network_);
    if (!visit)
      return visit.error();
    return workload.run(server_.address(), seconds);
  }

private:
  Guest(FileDescriptor network, RunningServer server)
      : network_(std::move(network)), server_(std::move(server)) {}

  static Result<std::optional<NetworkVisit>> enter(const FileDescriptor& network) {
    if (!network)
      return std::optional<NetworkVisit>();
    auto visit = NetworkVisit::to(network);
    if (!visit)
      return visit.error();
    return std::optional(std::move(*visit));
  }

  FileDescriptor network_; // of the tap; none: the benchmark's own
  RunningServer server_;
};

// One server on all systems.
class Comparison {
public:
  Comparison(const ApplicationsPlan& plan, const Server& server, Part& part, fs::path folder)
      : plan_(plan), server_(server), part_(part), folder_(std::move(folder)),
        progress_(terminal_reporter().progress(server.name,
                                               (plan.rounds + !plan.plugin.empty()) * plan.systems.size())) {
    for (const auto& workload : server.workloads)
      if (is_wanted(plan.only, workload.name))
        workloads_.push_back(&workload);
  }

  Result<void> run() {
    for (const auto& system : plan_.systems) {
      auto machine = make_machine(system, server_.program, folder_);
      if (!machine)
        return machine.error();
      machine->tap = plan_.tap;
      machines_.push_back(std::move(*machine));
    }
    for (unsigned round = 0; round < plan_.rounds; ++round)
      if (auto measured = measure_round(round); !measured)
        return measured;
    if (!plan_.plugin.empty())
      for (std::size_t which = 0; which < machines_.size(); ++which)
        if (auto counted = count_instructions(which); !counted)
          return counted;
    progress_->update(done_);
    return {};
  }

private:
  // All systems are up at once, those that wait are idle.
  Result<void> measure_round(unsigned round) {
    std::vector<std::optional<Guest>> guests(machines_.size());
    for (std::size_t i = 0; i < machines_.size(); ++i) {
      progress_->update(done_++, fmt::format("round {}, {}", round + 1, name_of(i)));
      auto guest = boot(i, machines_[i]);
      if (!guest)
        return guest.error();
      guests[i] = std::move(*guest);
    }
    // Short turns, because a shared host is faster in one second than in the next: all systems shall see the
    // same.
    for (const auto* workload : workloads_)
      for (long turn = std::max(1L, std::lround(plan_.seconds / workload->turn)); turn > 0; --turn)
        for (std::size_t i = 0; i < guests.size(); ++i)
          if (const auto which = (i + static_cast<std::size_t>(turn)) % guests.size(); guests[which])
            if (auto measured = measure(*guests[which], *workload, which); !measured)
              return measured;
    return {};
  }

  Result<void> measure(const Guest& guest, const Workload& workload, std::size_t which) {
    auto& cell = cell_of(part_, workload.name, name_of(which));
    auto load = guest.put(workload, workload.turn);
    if (!load)
      return fail(cell, load.error());
    cell.value.values.push_back(load->rate);
    cell.latency_50.values.push_back(load->latency_50);
    cell.latency_99.values.push_back(load->latency_99);
    return {};
  }

  // In a boot of its own: counting takes time.
  Result<void> count_instructions(std::size_t which) {
    progress_->update(done_++, fmt::format("instructions, {}", name_of(which)));
    const auto counter = folder_ / "counter";
    auto machine = machines_[which];
    machine.plugin = fmt::format("{},out={}", plan_.plugin.string(), counter.string());
    auto guest = boot(which, machine);
    if (!guest)
      return guest.error();
    if (!*guest)
      return {};
    for (const auto* workload : workloads_) {
      auto& cell = cell_of(part_, workload->name, name_of(which));
      const double before = count_in(counter);
      auto load = (*guest)->put(*workload, 1);
      if (load)
        cell.instructions.values.push_back((count_in(counter) - before) / load->sent);
      else if (auto failed = fail(cell, load.error()); !failed)
        return failed;
    }
    return {};
  }

  // Nothing, if it does not come up; then the reason is in all of its cells.
  Result<std::optional<Guest>> boot(std::size_t which, const Machine& machine) {
    auto guest = Guest::boot(machine, server_, folder_ / fmt::format("console-{}", which));
    if (guest)
      return std::optional(std::move(*guest));
    print_error(guest.error());
    for (const auto* workload : workloads_)
      if (auto failed = fail(cell_of(part_, workload->name, name_of(which)), guest.error()); !failed)
        return failed.error();
    return std::optional<Guest>();
  }

  const std::string& name_of(std::size_t which) const { return plan_.systems[which].name; }

  const ApplicationsPlan& plan_;
  const Server& server_;
  Part& part_;
  fs::path folder_;
  std::unique_ptr<Progress> progress_;
  std::uint64_t done_ = 0;
  std::vector<const Workload*> workloads_;
  std::vector<Machine> machines_;
};

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
    auto folder = TemporaryFolder::create("ukl-bench");
    if (!folder)
      return folder.error();
    if (auto measured = Comparison(plan, *server, part, folder->path()).run(); !measured)
      return measured;
  }
  return {};
}

} // namespace ukl::bench
