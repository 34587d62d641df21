// SPDX-License-Identifier: GPL-2.0-only
// `ukl up`: the machines of a project, each behind those that it needs.
#include "commands/project_command.hpp"
#include "commands/project_images.hpp"
#include "lifecycle/log.hpp"
#include "lifecycle/project_files.hpp"
#include "machine/named_volumes.hpp"
#include "machine/options.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"
#include "support/process.hpp"
#include "support/standard_streams.hpp"
#include "support/terminal.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <poll.h>
#include <set>
#include <sstream>
#include <sys/mman.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// How often a health check is repeated at least: whoever waits for it waits for no longer.
constexpr milliseconds kAskAgain{1000};

struct Options {
  ProjectOptions project;
  std::vector<std::string> services;
  std::vector<std::string> profiles;
  bool detach = false, dry_run = false, build = false, wait = false;
};

Error interrupted_error(const Project& project) {
  return {Failure::interrupted, "interrupted: what was started runs",
          fmt::format("ukl down -p {} ends it", project.name)};
}

// False: an interrupt came.
bool sleep_for(milliseconds time) {
  pollfd wait = {interrupt_descriptor(), POLLIN, 0};
  poll(&wait, 1, static_cast<int>(time.count()));
  return !interrupted();
}

// The profiles that were asked for: here, or by the variable that Compose has for it.
std::set<std::string> asked_profiles(const Options& options, const Project& project) {
  std::set<std::string> profiles(options.profiles.begin(), options.profiles.end());
  std::istringstream list(profiles.empty() ? project.variables("COMPOSE_PROFILES").value_or("") : "");
  for (std::string name; std::getline(list, name, ',');)
    profiles.insert(name);
  return profiles;
}

// Those that were named, or that no profile keeps out, and what they need.
std::set<std::string> wanted_services(const Project& project, const Options& options) {
  const auto profiles = asked_profiles(options, project);
  std::set<std::string> wanted(options.services.begin(), options.services.end());
  if (options.services.empty())
    for (const auto& service : project.services)
      if (service.profiles.empty() || profiles.contains("*") ||
          std::ranges::any_of(service.profiles, [&](const auto& name) { return profiles.contains(name); }))
        wanted.insert(service.name);
  // Each stands behind what it needs.
  for (auto service = project.services.rbegin(); service != project.services.rend(); ++service)
    if (wanted.contains(service->name))
      for (const auto& need : service->needs)
        if (need.required)
          wanted.insert(need.service);
  return wanted;
}

class Up {
public:
  Up(const Project& project, std::set<std::string> wanted, std::string tool)
      : project_(project), wanted_(std::move(wanted)), tool_(std::move(tool)) {}

  Result<void> start(const Service& service) {
    TRY_LET(const bool there, is_there(service));
    if (there)
      return {};
    for (const auto& need : service.needs)
      if (wanted_.contains(need.service))
        TRY(wait_for(service, *project_.find(need.service), need.until));
    TRY(make_volumes(service));
    ProcessOptions options;
    options.directory = project_.folder;
    // `ukl run` takes secrets from its environment, and knows no .env.
    for (const auto& [name, secret] : project_.secrets)
      if (const auto value = secret.variable.empty() ? std::nullopt : project_.variables(secret.variable))
        options.environment.push_back(fmt::format("{}={}", secret.variable, *value));
    TRY_LET(const auto output, run_command(start_command(tool_, project_, service), options));
    if (interrupted())
      return interrupted_error(project_);
    if (output.status != 0)
      return Error{static_cast<Failure>(output.status),
                   fmt::format("{} does not start: {}", service.name, first_error(output.text)),
                   fmt::format("what was started before runs: ukl down -p {}", project_.name)};
    for (const auto& note : notes(output.text))
      print_note(fmt::format("{}: {}", service.name, note));
    return {};
  }

  /// Until it says that it is well, if it has a way to.
  Result<void> wait_until_healthy(const Service& service) {
    if (service.health && healthy_.insert(service.name).second)
      TRY(wait_for_health(service));
    return {};
  }

private:
  // A machine of that name that runs as the file says is left alone; another one makes room.
  Result<bool> is_there(const Service& service) {
    TRY_LET(const auto places, read_places());
    const auto machine = known_machine(places.machines, service.machine);
    if (!machine)
      return false;
    if (machine->plan.project != project_.name)
      return Error{
          Failure::name_in_use,
          fmt::format("there is a machine {}, which is not of the project {}", service.machine,
                      project_.name),
          fmt::format("rename the service or the project, or end it: ukl rm -f {}", service.machine)};
    // One that has done its work is not asked to do it again, as long as the rest runs.
    const bool completed = !machine->alive && machine->state.status == 0 && is_awaited(service);
    if ((machine->alive || completed) && machine->plan.command == start_command(tool_, project_, service) &&
        !is_older(*machine, service))
      return true;
    TRY(end_and_remove(*machine, service.stop_patience));
    return false;
  }

  // Somebody waits for its end.
  bool is_awaited(const Service& service) const {
    return std::ranges::any_of(project_.services, [&](const Service& other) {
      return std::ranges::any_of(other.needs, [&](const Service::Need& need) {
        return need.service == service.name && need.until == Service::Need::Until::completed;
      });
    });
  }

  // The image was made anew since.
  bool is_older(const KnownMachine& machine, const Service& service) const {
    struct stat status = {};
    return stat((project_.folder / service.image).c_str(), &status) == 0 &&
           machine.plan.created < Moment(std::chrono::seconds(status.st_mtim.tv_sec));
  }

  Result<void> make_volumes(const Service& service) const {
    for (const auto& volume : project_.volumes)
      if (!volume.folder.empty() && volume.ours) {
        std::error_code failure;
        std::filesystem::create_directories(volume.folder, failure);
        if (failure)
          return file_error(volume.folder, "create", failure.value());
      }
    TRY_LET(const auto places, read_places());
    for (const auto& name : service.named_volumes) {
      const auto& volume = *std::ranges::find(project_.volumes, name, &ProjectVolume::name);
      const auto known = named_volumes(places.volumes);
      if (volume.external || std::ranges::find(known, volume.volume, &NamedVolume::name) != known.end())
        continue;
      TRY_LET(const auto size, parse_size(volume.size));
      TRY(create_volume(places.volumes, volume.volume, size, {}));
    }
    return {};
  }

  Result<void> wait_for(const Service& service, const Service& other, Service::Need::Until until) {
    if (until == Service::Need::Until::completed)
      return wait_for_success(service, other);
    // `ukl run` returns once the program runs, and with --wait-ready once that is ready.
    return until == Service::Need::Until::healthy ? wait_until_healthy(other) : Result<void>();
  }

  Result<void> wait_for_success(const Service& service, const Service& other) {
    TRY_LET(const auto machine, find_machine(other.machine));
    wait_for_end(machine);
    if (interrupted())
      return interrupted_error(project_);
    TRY_LET(const auto ended, find_machine(other.machine));
    if (ended.state.status != 0)
      return Error{
          Failure::not_ready,
          fmt::format("{} waits for {} to end well: {}", service.name, other.name, ended.sentence(now())),
          fmt::format("see what it said: ukl logs {}", other.machine)};
    return {};
  }

  Result<void> wait_for_health(const Service& service) const {
    const auto& health = *service.health;
    const auto end = Clock::now() + health.patience;
    std::vector<std::string> command = {tool_, "exec", service.machine, "--"};
    command.insert(command.end(), health.command.begin(), health.command.end());
    while (true) {
      const FileDescriptor said(memfd_create("health", MFD_CLOEXEC));
      ProcessOptions options;
      options.standard_output = options.standard_error = said.get();
      TRY_LET(auto check, Process::start(command, options));
      const auto status = check.wait_for(health.timeout);
      if (status == 0)
        return {};
      TRY_LET(const auto machine, find_machine(service.machine));
      // Statuses of `ukl exec`.
      if (const int failed = status.value_or(0); failed == 126 || failed == 127)
        return Error{Failure::not_ready,
                     fmt::format("the health of {} cannot be checked: {} is not in its image", service.name,
                                 health.command[0]),
                     "ukl pack --file adds it; or say x-wait-ready: tcp:PORT in place of a healthcheck"};
      if (!machine.alive)
        return Error{Failure::not_ready,
                     fmt::format("{} ended before it was healthy: {}", service.name, machine.sentence(now())),
                     fmt::format("see what it said: ukl logs {}", service.machine)};
      if (Clock::now() >= end)
        return Error{
            Failure::not_ready,
            fmt::format("{} was not healthy within {:g} s: {}", service.name,
                        std::chrono::duration<double>(health.patience).count(),
                        status ? fmt::format("status {} {}", *status, text_of(said)) : "it did not answer"),
            fmt::format("see what it said: ukl logs {}", service.machine)};
      if (!sleep_for(std::min(health.interval, kAskAgain)))
        return interrupted_error(project_);
    }
  }

  static std::string text_of(const FileDescriptor& file) {
    char text[200];
    const ssize_t got = pread(file.get(), text, sizeof text, 0);
    std::string line(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    return line.substr(0, line.find('\n'));
  }

  // What `ukl run` says of its own, a line each.
  static std::vector<std::string> notes(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream all(text);
    for (std::string line; std::getline(all, line);)
      if (line.starts_with("ukl: "))
        lines.push_back(line.substr(5));
    return lines;
  }
  static std::string first_error(const std::string& text) {
    const auto lines = notes(text);
    return lines.empty() ? text.substr(0, text.find('\n')) : lines.back();
  }

  const Project& project_;
  std::set<std::string> wanted_;
  std::string tool_;
  std::set<std::string> healthy_;
};

// What all of them write, with the service's name before each line, until they have ended or an interrupt.
Result<void> follow(const Project& project, const std::set<std::string>& wanted) {
  std::size_t width = 0;
  for (const auto& name : wanted)
    width = std::max(width, name.size());
  std::mutex one_at_a_time;
  std::vector<std::jthread> readers;
  for (const auto& service : project.services) {
    if (!wanted.contains(service.name))
      continue;
    TRY_LET(auto machine, find_machine(service.machine));
    readers.emplace_back([&, machine = std::move(machine), name = service.name] {
      [[maybe_unused]] const auto read =
          read_log(machine, {std::nullopt, "", true}, [&](const LogEntry& entry) {
            const auto line = fmt::format("{:{}} | {}\n", name, width, entry.text);
            const std::lock_guard lock(one_at_a_time);
            write_all(entry.stream == LogStream::output ? STDOUT_FILENO : STDERR_FILENO, line);
          });
    });
  }
  return {};
}

Result<int> run(const Options& options) {
  TRY_LET(auto project, open_project(options.project));
  for (const auto& note : project.notes)
    print_note(note);
  for (const auto& name : options.services)
    if (!project.find(name))
      return Error{Failure::usage, fmt::format("{} has no service {}", project.file.string(), name), ""};
  const auto wanted = wanted_services(project, options);
  if (wanted.empty())
    print_note("no service is without a profile: --profile NAME starts those that have it");
  std::error_code ignored;
  const auto tool = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
  if (options.dry_run) {
    TRY(fit_to_images(project));
    for (const auto& service : project.services)
      if (wanted.contains(service.name)) {
        for (const auto& command : image_commands(project, service, options.build))
          print_output(shell_line(command) + "\n");
        print_output(shell_line(start_command("ukl", project, service)) + "\n");
      }
    return 0;
  }
  catch_interrupts();
  TRY(make_images(project, wanted, tool, options.build));
  TRY(fit_to_images(project));
  TRY(write_contents(project));
  Up up(project, wanted, tool);
  for (const auto& service : project.services)
    if (wanted.contains(service.name)) {
      TRY(up.start(service));
      print_output(service.machine + "\n");
    }
  for (const auto& service : project.services)
    if (options.wait && wanted.contains(service.name))
      TRY(up.wait_until_healthy(service));
  if (options.detach)
    return 0;
  TRY(flush_output());
  TRY(follow(project, wanted));
  if (!interrupted())
    return 0;
  clear_interrupt();
  for (auto service = project.services.rbegin(); service != project.services.rend(); ++service)
    if (const auto machine = find_machine(service->machine); machine && wanted.contains(service->name))
      TRY(stop_machine(*machine, service->stop_patience));
  return 0;
}

void add_up(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("up", "Start the machines of a project, which a compose.yaml describes");
  command->add_option("SERVICE", options->services, "Only these, and what they need (default: all)");
  command->add_flag("-d,--detach", options->detach, "Return once all run");
  command->add_flag("--wait", options->wait, "Wait until those that have a healthcheck are healthy, too");
  add_project_options(*command, options->project);
  add_repeatable(*command, "--profile", options->profiles,
                 "Services of this profile, too (default: $COMPOSE_PROFILES, a list with commas); * is all")
      ->type_name("NAME");
  command->add_flag("--build", options->build,
                    "Make the images anew that the project makes: of packages, registries and Dockerfiles");
  command->add_flag("--dry-run", options->dry_run,
                    "Print the commands that would start them, and do nothing else");
  command->footer(
      "Each service is a machine PROJECT-SERVICE, as ukl run -d starts it, behind those that it depends on;\n"
      "services reach each other by name, on a network of the project. One that runs as the file says is\n"
      "left alone. Without -d, what they write is shown, and Ctrl-C stops them. An image is a file, a "
      "source\n"
      "as for ukl pack (deb:redis-server), an image of a registry, or what a Dockerfile makes (build). Keys\n"
      "of Compose without a meaning for machines are named, with their line (docs/projects.md).\n"
      "A file:\n"
      "    services:\n"
      "      web:\n"
      "        image: web.ukl\n"
      "        ports: [\"8080:80\"]\n"
      "        x-wait-ready: tcp:80\n"
      "Example:\n"
      "  ukl up -d");
  command->callback([options, &action] { action = [options] { return run(*options); }; });
}

const RegisterCommand registration{44, add_up};

} // namespace
} // namespace ukl
