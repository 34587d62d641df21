// SPDX-License-Identifier: GPL-2.0-only
// `ukl events`: what became of machines.
#include "lifecycle/events.hpp"
#include "commands/command.hpp"
#include "lifecycle/log.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

struct Options {
  std::string since;
  bool follow = false, json = false;
};

std::string in_words(const std::string& line) {
  const auto event = nlohmann::json::parse(line, nullptr, false);
  return fmt::format("{} {} {}{}\n", event.value("time", ""), event.value("machine", ""),
                     event.value("event", ""),
                     event.contains("sentence") ? ": " + event.value("sentence", "") : std::string());
}

Result<int> run(const Options& options) {
  TRY_LET(const auto places, read_places());
  std::string since;
  if (!options.since.empty()) {
    TRY_LET(since, parse_since(options.since, now()));
  }
  catch_interrupts();
  TRY(read_events(places.machines, since, options.follow, [&](const std::string& line) {
    print_output(options.json ? line + "\n" : in_words(line));
  }));
  return interrupted() ? 128 + interrupted() : 0;
}

void add_events(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("events", "Print what became of machines: started, ready, ended, …");
  command->add_flag("-f,--follow", options->follow, "Go on until Ctrl-C");
  command
      ->add_option("--since", options->since, "Only what came since then: 10m, 1h30m, 2026-11-26T10:20:30Z")
      ->type_name("TIME");
  command->add_flag("--json", options->json, "Print one JSON object a line");
  command->footer("Example:\n"
                  "  ukl events --since 1h");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{41, add_events};

} // namespace
} // namespace ukl
