// SPDX-License-Identifier: GPL-2.0-only
#include "commands/run_life.hpp"
#include "lifecycle/launch.hpp"
#include "lifecycle/systemd_unit.hpp"
#include "machine/host_streams.hpp"
#include "support/environment.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"
#include "support/text.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::uint64_t kLeastLog = 64 << 10;
constexpr const char* kUsualWindow = "24 80 0 0";

// Our own command line, to be started again; the program's name whole, because a PATH may change.
std::vector<std::string> own_command() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  std::vector<std::string> words;
  for (std::string word; std::getline(text, word, '\0');)
    words.push_back(word);
  std::error_code ignored;
  if (const auto self = std::filesystem::read_symlink("/proc/self/exe", ignored); !words.empty() && !ignored)
    words[0] = self.string();
  return words;
}

RecordedPlan make_plan(const LifeOptions& life, const MachineOptions& options) {
  RecordedPlan plan;
  std::error_code ignored;
  plan.name = life.name;
  plan.project = life.project;
  plan.image = std::filesystem::absolute(options.image, ignored);
  plan.command = own_command();
  plan.folder = std::filesystem::current_path(ignored);
  for (const auto& forward : options.forwards)
    plan.ports.push_back(fmt::format("{}->{}/{}", forward.host(), forward.guest_port, forward.protocol));
  auto first = options.network;
  if (first.addresses.empty())
    first.addresses = values_of(options.settings, key::address);
  std::erase(first.addresses, ""); // none
  plan.networks.push_back(first.text());
  for (const auto& card : options.more_networks)
    plan.networks.push_back(card.text());
  plan.memory = options.memory;
  plan.cpus = options.cpus;
  plan.restart = life.restart;
  plan.stop_signal = options.stop_signal;
  plan.detached = life.detach;
  plan.remove = life.remove || !life.detach;
  plan.interactive = life.interactive;
  plan.terminal = life.terminal && life.detach;
  plan.created = now();
  return plan;
}

} // namespace

void add_life_options(CLI::App& command, LifeOptions& options) {
  command.add_flag(
      "-d,--detach", options.detach,
      "Let the machine run by itself: return once its program runs, and print the machine's name");
  command
      .add_option("--name", options.name,
                  "The machine's name, for ukl ps, stop, logs and the like (default: "
                  "that of the image's file)")
      ->take_last();
  command.add_option("--project", options.project, "The project that it belongs to, for ukl ps and ukl down")
      ->type_name("NAME");
  command.add_flag("--rm", options.remove, "With -d: leave nothing once the machine has ended");
  command
      .add_option("--restart", options.restart,
                  "With -d: start the machine again when it ends: no, on-failure[:TIMES] or always")
      ->type_name("POLICY")
      ->capture_default_str();
  command
      .add_option("--wait-ready", options.wait_ready,
                  "With -d: return once somebody listens on a port of the program (tcp:80), a page is "
                  "answered (http:80/path), or a line of its log matches (log:REGEX); ,SECONDS behind it "
                  "says how long that may take (60)")
      ->type_name("WHAT");
  command.add_flag("-i,--interactive", options.interactive,
                   "With -d: the program's input is open, for ukl attach; without, it is ours anyhow");
  command.add_flag("-t,--tty", options.terminal,
                   "With -d: the program has a terminal, which ukl attach joins (with -i, its keys too); "
                   "without, ours, and it is an error if we have none");
  command
      .add_option("--log-max", options.most_log,
                  "With -d: keep so much of what the program writes: 512K, 10M")
      ->type_name("SIZE")
      ->capture_default_str();
}

Result<void> check_life_options(const LifeOptions& options, const MachineOptions& machine) {
  if (!options.project.empty() && !is_plain_name(options.project))
    return Error{Failure::usage, fmt::format("'{}' is no name of a project", options.project),
                 kPlainNameForm};
  TRY(RestartPolicy::parse(options.restart));
  TRY(Readiness::parse(options.wait_ready, machine.forwards));
  TRY_LET(const auto most, parse_size(options.most_log));
  if (most < kLeastLog)
    return Error{Failure::usage, fmt::format("--log-max {} is too little", options.most_log),
                 "64K is the least"};
  if (options.detach && options.remove && options.restart != "no")
    return Error{Failure::usage, "--rm and --restart exclude each other",
                 "a machine that starts again has not ended"};
  if (options.detach)
    return {};
  if (options.terminal && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)))
    return Error{Failure::usage, "-t needs a terminal, and our input or output is none",
                 "leave -t out, or let the machine have one of its own: -d -t"};
  for (const auto& [given, name] :
       {std::pair(options.restart != "no", "--restart"), {!options.wait_ready.empty(), "--wait-ready"}})
    if (given)
      return Error{Failure::usage, fmt::format("{} is only for machines that run by themselves", name),
                   fmt::format("add -d, or leave {} out", name)};
  return {};
}

Result<int> run_detached(const LifeOptions& life, MachineOptions options, const Manifest& manifest) {
  TRY_LET(const auto places, read_places());
  TRY_LET(auto restart, RestartPolicy::parse(life.restart));
  TRY_LET(const auto readiness, Readiness::parse(life.wait_ready, options.forwards));
  TRY_LET(const auto most_log, parse_size(life.most_log));
  TRY_LET(auto record, MachineRecord::create(places.machines, make_plan(life, options)));
  if (readiness.port != 0)
    options.awaited.push_back(readiness.port);
  const auto name = record.plan().name;
  options.folder = record.folder();
  // A terminal that nobody looks at yet is as large as ours.
  auto window = life.terminal ? window_size(STDOUT_FILENO, ' ') : std::string();
  if (life.terminal && window.empty())
    window = kUsualWindow;
  TRY(launch({std::move(record), restart, most_log, std::move(window),
              // Its leases are let go with it.
              [options = std::move(options), &manifest](const MachineNews& news) {
                return run_machine(options, manifest, false, news);
              }},
             readiness));
  print_output(name + "\n");
  return 0;
}

Result<MachineEnd> run_in_foreground(const LifeOptions& life, const MachineOptions& options,
                                     const Manifest& manifest) {
  TRY_LET(const auto places, read_places());
  auto record = MachineRecord::create(places.machines, make_plan(life, options));
  if (!record && !life.name.empty())
    return record.error();
  if (!record)
    return run_machine(options, manifest);
  MachineState state;
  state.pid = state.keeper = getpid();
  state.pid_started = state.keeper_started = process_start_time(getpid());
  record->write(state);
  const auto service_manager = variable_or("NOTIFY_SOCKET", "");
  MachineOptions with_record = options;
  with_record.folder = record->folder();
  auto end = run_machine(with_record, manifest, false, [&](const std::string& line) {
    if (line.starts_with("qemu "))
      state.qemu = std::atoi(line.c_str() + 5);
    if (line == "started") {
      state.phase = MachineState::Phase::running;
      state.started = now();
      if (!service_manager.empty())
        notify_systemd(service_manager, "READY=1");
    }
    record->write(state);
  });
  record->remove();
  return end;
}

} // namespace ukl
