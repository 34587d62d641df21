// SPDX-License-Identifier: GPL-2.0-only
// `ukl profile`: where a machine's program and kernel spend their time.
#include "commands/lifecycle_command.hpp"
#include "lifecycle/profiler.hpp"
#include "machine/options.hpp"
#include "support/interrupt.hpp"
#include "support/overwriting.hpp"
#include "support/places.hpp"
#include "support/process.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"

#include <csignal>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace ukl {
namespace {

struct Options {
  std::string name, seconds, svg;
  std::vector<std::string> arguments;
  unsigned rate = 100, rows = 25;
  bool json = false;
};

constexpr std::chrono::milliseconds kLook{20}, kEnding{10000};
constexpr std::chrono::seconds kUsualTime{10};

void print_json(const Profile& profile, const std::string& name) {
  auto functions = nlohmann::ordered_json::array();
  for (const auto& row : function_shares(profile.calls))
    functions.push_back(
        {{"name", row.call.name}, {"kernel", row.call.kernel}, {"own", row.own}, {"all", row.all}});
  const nlohmann::ordered_json report = {{"name", name},
                                         {"samples", profile.calls.seen},
                                         {"idle", profile.idle},
                                         {"time_ms", profile.time.count()},
                                         {"stopped_ms", profile.stopped.count()},
                                         {"functions", functions}};
  // Names of a file's symbols may be any bytes.
  print_output(report.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

Result<void> show(const Profile& profile, const Options& options, bool to_error) {
  for (const auto& note : profile.notes)
    print_note(note);
  const auto all = profile.calls.seen + profile.idle;
  const auto title =
      fmt::format("{}: {} samples in {:.1f} s, {:.0f} % idle, stood still for {:.1f} s", options.name, all,
                  static_cast<double>(profile.time.count()) / 1000,
                  all == 0 ? 0.0 : 100.0 * static_cast<double>(profile.idle) / static_cast<double>(all),
                  static_cast<double>(profile.stopped.count()) / 1000);
  if (!options.svg.empty())
    TRY(write_text(options.svg, flame_graph(profile.calls, title)));
  if (options.json) {
    print_json(profile, options.name);
    return {};
  }
  const auto table = title + "\n" + function_table(profile.calls, options.rows);
  if (to_error) // the output is the program's
    print_message(table);
  else
    print_output(table);
  return {};
}

// Ours with the image, looked at from its program's start to its end.
Result<int> profile_image(const Options& options, ProfileOptions how) {
  std::error_code ignored;
  const auto name = fmt::format("profile-{}", getpid());
  std::vector<std::string> command = {std::filesystem::read_symlink("/proc/self/exe", ignored).string(),
                                      "run", "--name", name, options.name};
  command.insert(command.end(), options.arguments.begin(), options.arguments.end());
  ProcessOptions streams;
  streams.standard_input = STDIN_FILENO;
  TRY_LET(auto machine, Process::start(command, streams));
  TRY_LET(const auto places, read_places());
  std::optional<Profile> profile;
  while (!interrupted()) {
    if (const auto ended = machine.wait_for(kLook))
      return profile       ? *ended
             : *ended != 0 ? *ended
                           : Result<int>(Error{Failure::not_ready,
                                               options.name + " ended before there was anything to see",
                                               "let it run for longer"});
    const auto known = known_machine(places.machines, name);
    if (!known || known->phase() != "running")
      continue;
    if (auto seen = profile_machine(*known, how)) {
      profile = std::move(*seen);
      break;
    } else if (!machine.wait_for(std::chrono::milliseconds(1000))) {
      return seen.error();
    }
  }
  if (profile)
    TRY(show(*profile, options, true));
  // One that was looked at to its end has a moment for its own.
  if (!profile || !profile->ended || !machine.wait_for(kEnding))
    machine.signal(SIGTERM);
  const int status = machine.wait();
  return profile ? status : 128 + SIGINT;
}

Result<int> run(const Options& options) {
  ProfileOptions how;
  how.rate = options.rate;
  if (!options.seconds.empty()) {
    TRY_LET(how.time, parse_timeout(options.seconds));
  }
  catch_interrupts();
  std::error_code ignored;
  const auto machine = find_machine(options.name);
  if (!machine && std::filesystem::is_regular_file(options.name, ignored)) {
    TRY(refuse_overwriting(options.svg, {options.name}));
    return profile_image(options, how);
  }
  if (!machine)
    return machine.error();
  if (options.seconds.empty())
    how.time = kUsualTime;
  TRY_LET(const auto profile, profile_machine(*machine, how));
  TRY(show(profile, options, false));
  return 0;
}

void add_profile(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("profile", "Show where a machine's program and kernel spend their time");
  command->add_option("NAME", options->name, "A machine that runs, or an image, which is run for it")
      ->required();
  command->add_option("ARGUMENT", options->arguments, "Of an image: options of ukl run, behind --");
  command->add_option("--svg", options->svg, "Draw a flame graph, as a picture, in this file")
      ->type_name("FILE");
  command
      ->add_option("--seconds", options->seconds,
                   "How long to look (default: 10; an image: until its program ends)")
      ->type_name("N");
  command->add_option("--rate", options->rate, "How often to look in a second")
      ->check(CLI::Range(1, 1000))
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--rows", options->rows, "How many functions to print")->capture_default_str();
  command->add_flag("--json", options->json, "Print all functions as JSON, in place of the table");
  command->footer(
      "The machine is stopped for a moment at each look, and its stacks are read from outside: nothing is "
      "in\n"
      "the machine for it. The program's functions and the kernel's are in one stack. OWN is the share of "
      "the\n"
      "time in which a function ran itself, ALL in which it or what it called ran; while a processor has\n"
      "nothing to do, it is not counted. Names are those that the image's files have: of a stripped one "
      "there\n"
      "are those that it exports.\n"
      "For example: ukl profile web --svg web.svg, or for an image: ukl profile app.ukl -- -m 512M");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{51, add_profile};

} // namespace
} // namespace ukl
