// SPDX-License-Identifier: GPL-2.0-only
#include "commands/lifecycle_command.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <csignal>
#include <fmt/format.h>

namespace ukl {

void add_machine_names(CLI::App& command, std::vector<std::string>& names) {
  command.add_option("NAME", names, "The machine's name, as ukl ps has it; may be repeated")->required();
}

Result<KnownMachine> find_machine(const std::string& name) {
  TRY_LET(const auto places, read_places());
  return known_machine(places.machines, name);
}

Result<int> for_each_machine(const std::vector<std::string>& names,
                             const std::function<Result<void>(const KnownMachine&)>& work) {
  catch_interrupts();
  std::optional<Error> first;
  for (const auto& name : names) {
    const auto machine = find_machine(name);
    const auto done = machine ? work(*machine) : Result<void>(machine.error());
    if (done) {
      print_output(name + "\n");
      continue;
    }
    if (done.error().failure == Failure::interrupted)
      return done.error();
    if (first)
      print_error(done.error());
    else
      first = done.error();
  }
  if (first)
    return *first;
  return 0;
}

Result<void> stop_machine(const KnownMachine& machine, std::chrono::milliseconds patience) {
  const auto interrupt = [&] {
    return Error{Failure::interrupted, fmt::format("interrupted while {} ends", machine.plan.name),
                 "it was asked to; ukl kill does not wait"};
  };
  if (!is_alive(machine))
    return {};
  TRY(ask_to_stop(machine));
  // It may just have been started again: then the signal goes to the next one.
  while (is_alive(machine)) {
    TRY_LET(const auto latest, find_machine(machine.plan.name));
    if (send_signal(latest, machine.plan.stop_signal) || !latest.alive)
      break;
    if (wait_for_end(latest, std::chrono::milliseconds(10)))
      break;
  }
  if (wait_for_end(machine, patience))
    return {};
  if (interrupted())
    return interrupt();
  if (const auto latest = find_machine(machine.plan.name))
    kill_machine(*latest);
  return {};
}

int status_of(const KnownMachine& machine) {
  return machine.state.status.value_or(128 + SIGKILL);
}

} // namespace ukl
