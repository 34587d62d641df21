// SPDX-License-Identifier: GPL-2.0-only
// `ukl metrics`: all machines, for Prometheus.
#include "lifecycle/metrics.hpp"
#include "commands/command.hpp"
#include "lifecycle/metrics_server.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"

#include <memory>

namespace ukl {
namespace {

Result<std::string> measure() {
  TRY_LET(const auto places, read_places());
  std::vector<MeasuredMachine> measured;
  for (auto& machine : known_machines(places.machines)) {
    const auto usage = machine.alive && machine.state.qemu > 0 ? usage_of(machine.state.qemu) : Usage();
    measured.push_back({std::move(machine), usage});
  }
  return prometheus_text(measured);
}

Result<int> run(const std::string& address) {
  if (address.empty()) {
    TRY_LET(const auto text, measure());
    print_output(text);
    return 0;
  }
  catch_interrupts();
  TRY_LET(const auto listener, listen_for_http(address));
  serve_http(listener, measure);
  return 0;
}

void add_metrics(CLI::App& app, Action& action) {
  auto address = std::make_shared<std::string>();
  auto* command = app.add_subcommand("metrics", "Print what can be measured of machines, for Prometheus");
  command
      ->add_option("--listen", *address,
                   "Do not print it, but answer Prometheus' questions over HTTP until Ctrl-C; on 127.0.0.1 "
                   "unless ADDRESS says otherwise")
      ->type_name("[ADDRESS:]PORT");
  command->footer(
      "In Prometheus' text format: whether each machine runs, since when, how it ended, how often it was\n"
      "started again, and what it takes of this one. Where node_exporter runs, a timer that writes it into\n"
      "the folder of its textfile collector is enough.\n"
      "Example:\n"
      "  ukl metrics");
  command->callback([address, &action] { action = [address] { return run(*address); }; });
}

const RegisterCommand registration{48, add_metrics};

} // namespace
} // namespace ukl
