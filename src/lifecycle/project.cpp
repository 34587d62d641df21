// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project.hpp"
#include "lifecycle/project_service.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Kind = YamlValue::Kind;

// In the order in which Docker looks for them.
constexpr const char* kFiles[] = {"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"};

// This machine in the machines' network (QEMU's user network), where published ports are.
constexpr const char* kHost = "10.0.2.2";

// The environment, and behind it what a file .env in the folder says.
Result<Environment> with_file(const fs::path& file, const Environment& here) {
  std::error_code ignored;
  if (!fs::exists(file, ignored))
    return here;
  TRY_LET(const auto lines, read_variables(file, here));
  std::map<std::string, std::string> variables;
  for (const auto& line : lines)
    variables[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
  return Environment([variables, here](const std::string& name) {
    auto value = here(name);
    const auto found = variables.find(name);
    return !value && found != variables.end() ? std::optional(found->second) : value;
  });
}

Result<void> read_volumes(Project& project, const YamlValue& value) {
  for (const auto& [name, entry] : value.entries) {
    ProjectVolume volume{name, fmt::format("{}-{}", project.name, name)};
    for (const auto& [key, setting] : entry.entries) {
      const auto* size = key == "driver_opts" ? setting.find("size") : nullptr;
      if (key.starts_with("x-") || (key == "driver" && setting.text == "local"))
        continue;
      if (key == "name")
        volume.volume = setting.text;
      else if (key == "external")
        volume.external = setting.text == "true";
      else if (size && setting.entries.size() == 1)
        volume.size = size->text;
      else
        return error_in_line(project.file, setting.line,
                             fmt::format("volumes.{}.{}: ukl does not know this", name, key),
                             "a volume has name, external, and driver_opts with a size");
    }
    if (volume.external && !entry.find("name"))
      volume.volume = name;
    if (!is_plain_name(volume.volume))
      return error_in_line(project.file, entry.line,
                           fmt::format("'{}' is no name of a volume", volume.volume), kPlainNameForm);
    project.volumes.push_back(std::move(volume));
  }
  return {};
}

// One disk is for one machine.
Result<void> check_volumes(const Project& project) {
  std::map<std::string, std::string> taken;
  for (const auto& service : project.services)
    for (const auto& volume : service.named_volumes)
      if (const auto [other, first] = taken.emplace(volume, service.name);
          !first && other->second != service.name)
        return error_in_line(
            project.file, service.line,
            fmt::format("{} and {} share the volume {}", other->second, service.name, volume),
            "a volume is a disk, for one machine at a time; several may share a folder: ./data:/data:shared");
  return {};
}

// Behind what they need, depth first, so that the file's order stays where nobody minds.
class Order {
public:
  explicit Order(const Project& project) : project_(project) {}

  Result<std::vector<Service>> all() {
    for (const auto& service : project_.services)
      TRY(add(service));
    return std::move(ordered_);
  }

private:
  Result<void> add(const Service& service) {
    if (done_.contains(service.name))
      return {};
    if (!under_way_.insert(service.name).second)
      return error_in_line(project_.file, service.line,
                           fmt::format("{} needs itself, over others", service.name));
    for (const auto& need : service.needs) {
      const auto* other = project_.find(need.service);
      if (!other)
        return error_in_line(project_.file, need.line,
                             fmt::format("{} needs {}, which is no service", service.name, need.service));
      if (need.until == Service::Need::Until::healthy && !other->health && !other->waits_itself)
        return error_in_line(project_.file, need.line,
                             fmt::format("{} waits for the health of {}, which has no healthcheck",
                                         service.name, need.service),
                             "give it one, or x-wait-ready: tcp:PORT");
      TRY(add(*other));
    }
    done_.insert(service.name);
    ordered_.push_back(service);
    return {};
  }

  const Project& project_;
  std::vector<Service> ordered_;
  std::set<std::string> under_way_, done_;
};

} // namespace

const Service* Project::find(const std::string& service) const {
  const auto found = std::ranges::find(services, service, &Service::name);
  return found == services.end() ? nullptr : &*found;
}

Result<fs::path> find_project_file(const fs::path& folder) {
  std::error_code ignored;
  for (const auto* name : kFiles)
    if (fs::exists(folder / name, ignored))
      return folder / name;
  return Error{Failure::not_found, "there is no compose.yaml here",
               "go to the folder that has one, or name it: -f FILE"};
}

Result<Project> read_project(const fs::path& file, const std::string& name, const Environment& here) {
  std::error_code ignored;
  Project project;
  project.file = file;
  project.folder = fs::absolute(file, ignored).parent_path();
  TRY_LET(const auto environment, with_file(project.folder / ".env", here));
  TRY_LET(const auto root, read_yaml(file, environment));
  const auto* named = root.find("name");
  project.name = !name.empty() ? name
                 : named       ? named->text
                         : plain_name(project.folder.filename().string(), "project", kLongestPlainName / 2);
  if (!is_plain_name(project.name))
    return Error{Failure::usage, fmt::format("'{}' is no name of a project", project.name), kPlainNameForm};
  const auto* services = root.find("services");
  if (!services || services->entries.empty())
    return error_in_line(file, 1, "there are no services in it");
  for (const auto& [key, value] : root.entries) {
    if (key == "volumes") {
      TRY(read_volumes(project, value));
    } else if (key == "version") {
      project.notes.emplace_back("version says nothing any more, and is passed over");
    } else if (key != "name" && key != "services" && !key.starts_with("x-")) {
      return error_in_line(file, value.line, fmt::format("{}: ukl does not know this key", key),
                           "name, services, volumes, and what begins with x-");
    }
  }
  for (const auto& [service, value] : services->entries) {
    TRY_LET(auto read, read_service(project, service, value));
    project.services.push_back(std::move(read));
  }
  TRY(check_volumes(project));
  TRY_LET(project.services, Order(project).all());
  return project;
}

std::vector<std::string> start_command(const std::string& tool, const Project& project,
                                       const Service& service) {
  std::vector<std::string> command = {tool,         "run",    "-d",           "--project",
                                      project.name, "--name", service.machine};
  command.insert(command.end(), service.options.begin(), service.options.end());
  for (const auto& other : project.services)
    if (service.reaches_others && other.name != service.name && !other.ports.empty()) {
      command.emplace_back("--add-host");
      command.push_back(fmt::format("{}:{}", other.name, kHost));
    }
  command.push_back(service.image);
  if (service.command) {
    command.emplace_back("--");
    command.insert(command.end(), service.command->begin(), service.command->end());
  }
  return command;
}

std::optional<milliseconds> parse_duration(const std::string& text) {
  static const std::map<std::string, double, std::less<>> kUnits = {
      {"us", 0.001}, {"ms", 1}, {"s", 1000}, {"m", 60e3}, {"h", 3600e3}};
  double sum = 0;
  const char *at = text.data(), *const end = at + text.size();
  while (at < end) {
    double number = 0;
    const auto [behind, failed] = std::from_chars(at, end, number);
    const char* unit_end = std::find_if(behind, end, [](char byte) { return byte >= '0' && byte <= '9'; });
    const auto unit = kUnits.find(std::string(behind, unit_end));
    if (failed != std::errc() || number < 0 || unit == kUnits.end())
      return std::nullopt;
    sum += number * unit->second;
    at = unit_end;
  }
  if (text.empty() || sum > 1e12)
    return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(sum));
}

} // namespace ukl
