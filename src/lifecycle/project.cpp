// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project.hpp"
#include "lifecycle/compose_values.hpp"
#include "lifecycle/project_files.hpp"
#include "lifecycle/project_networks.hpp"
#include "lifecycle/project_service.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using Kind = YamlValue::Kind;

// In the order in which Docker looks for them.
constexpr const char* kFiles[] = {"compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"};

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

// A folder of this machine that a volume's options name, as the driver "local" takes them for mount(8).
std::string bound_folder(const YamlValue& options) {
  const auto* flags = options.find("o");
  const auto* device = options.find("device");
  return flags && device && flags->text.find("bind") != std::string::npos ? device->text : "";
}

Result<void> read_volume(Project& project, const std::string& name, const YamlValue& value) {
  ProjectVolume volume{.name = name, .volume = fmt::format("{}-{}", project.name, name), .line = value.line};
  for (const auto& [key, setting] : value.entries) {
    const auto where = fmt::format("volumes.{}.{}", name, key);
    if (key == "name") {
      volume.volume = setting.text;
    } else if (key == "external") {
      TRY_LET(volume.external, (ComposeKey{project.file, where}.truth(setting)));
    } else if (key == "driver_opts") {
      volume.folder = bound_folder(setting);
      volume.ours = volume.folder.empty();
      for (const auto& [option, text] : setting.entries)
        if (option == "size")
          volume.size = text.text;
        else if (volume.ours)
          project.ignore(text.line, fmt::format("{}.{}", where, option));
    } else if (key == "labels" || (key == "driver" && setting.text != "local")) {
      project.ignore(setting.line, where);
    } else if (key != "driver" && !key.starts_with("x-")) {
      return error_in_line(project.file, setting.line, fmt::format("{}: ukl does not know this", where),
                           "a volume has name, external, and driver_opts with a size");
    }
  }
  if (volume.external && !value.find("name"))
    volume.volume = name;
  if (!is_plain_name(volume.volume))
    return error_in_line(project.file, value.line, fmt::format("'{}' is no name of a volume", volume.volume),
                         kPlainNameForm);
  project.volumes.push_back(std::move(volume));
  return {};
}

Result<void> read_volumes(Project& project, const YamlValue& value) {
  for (const auto& [name, entry] : value.entries)
    TRY(read_volume(project, name, entry));
  return {};
}

// The name of a service's volume, as it is in the file; empty: it has none.
std::string volume_name(const YamlValue& value) {
  const auto* source = value.find("source");
  return value.kind == Kind::map ? (source ? source->text : "") : value.text.substr(0, value.text.find(':'));
}

// A disk is for one machine at a time; a volume of several services is a folder that they share.
Result<void> share_volumes(Project& project, const YamlValue& services) {
  std::map<std::string, std::set<std::string>> users;
  for (const auto& [service, value] : services.entries)
    if (const auto* volumes = value.find("volumes"))
      for (const auto& one : volumes->items)
        users[volume_name(one)].insert(service);
  for (auto& volume : project.volumes) {
    if (!volume.folder.empty() || users[volume.name].size() < 2)
      continue;
    if (volume.external)
      return error_in_line(
          project.file, volume.line,
          fmt::format("{} share the volume {}", fmt::join(users[volume.name], " and "), volume.name),
          "a volume of ukl volume is a disk, for one machine at a time; a folder may be shared: "
          "./data:/data:shared");
    volume.folder = project.made / ("volume-" + volume.name);
  }
  return {};
}

// A folder of this machine that a service has.
struct Binding {
  std::string service;
  fs::path folder; ///< absolute
  bool read_only = false;
};

std::vector<Binding> bindings_of(const Project& project, const YamlValue& services) {
  std::vector<Binding> bindings;
  for (const auto& [service, value] : services.entries)
    if (const auto* volumes = value.find("volumes"))
      for (const auto& one : volumes->items) {
        const auto source = volume_name(one);
        const auto* only = one.find("read_only");
        const auto* type = one.find("type");
        if (source.starts_with('/') || source.starts_with('.') || (type && type->text == "bind"))
          bindings.push_back(
              {service, folder_of(project, source),
               only ? parse_truth(only->text) == true : (one.text + ",").find(":ro,") != std::string::npos});
      }
  return bindings;
}

bool holds(const fs::path& outer, const fs::path& inner) {
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// Folders of which several machines have something, and one may write: each keeps the host's locks then.
void share_folders(Project& project, const YamlValue& services) {
  const auto bindings = bindings_of(project, services);
  for (const auto& one : bindings)
    for (const auto& other : bindings)
      if (one.service != other.service && !(one.read_only && other.read_only) &&
          (holds(one.folder, other.folder) || holds(other.folder, one.folder)))
        project.shared_folders.insert(one.folder);
}

// `over` goes over `under`: maps entry by entry, lists behind each other, anything else in its place.
YamlValue merged(const YamlValue& under, const YamlValue& over) {
  if (under.kind != over.kind || (over.kind != Kind::map && over.kind != Kind::list))
    return over.kind == Kind::nothing ? under : over;
  YamlValue both = under;
  both.line = over.line;
  both.items.insert(both.items.end(), over.items.begin(), over.items.end());
  for (const auto& [name, value] : over.entries) {
    const auto known = std::ranges::find(both.entries, name, &YamlEntry::name);
    if (known == both.entries.end())
      both.entries.push_back({name, value});
    else
      known->value = name == "command" || name == "entrypoint" ? value : merged(known->value, value);
  }
  return both;
}

// A service with what it takes over from another one (`extends`), and that one from a third.
Result<YamlValue> extended(const Project& project, const YamlValue& services, const std::string& name,
                           std::set<std::string> passed) {
  const auto& service = *services.find(name);
  const auto* extends = service.find("extends");
  if (!extends)
    return service;
  const auto* of = extends->kind == Kind::map ? extends->find("service") : extends;
  const auto wrong = [&](const std::string& message) {
    return error_in_line(project.file, extends->line, fmt::format("services.{}.extends: {}", name, message),
                         "a service of this file, which does not extend this one");
  };
  if (extends->find("file"))
    return wrong("services of other files are not read");
  if (!of || !services.find(of->text))
    return wrong(fmt::format("there is no service '{}'", of ? of->text : ""));
  if (!passed.insert(name).second)
    return wrong("it extends itself, over others");
  TRY_LET(auto under, extended(project, services, of->text, passed));
  // What it needs and shares is its own business.
  std::erase_if(under.entries, [](const auto& entry) {
    return entry.name == "depends_on" || entry.name == "links" || entry.name == "container_name";
  });
  auto over = service;
  std::erase_if(over.entries, [](const auto& entry) { return entry.name == "extends"; });
  return merged(under, over);
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
      if (!other && !need.required)
        continue;
      if (!other)
        return error_in_line(project_.file, need.line,
                             fmt::format("{} needs {}, which is no service", service.name, need.service));
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

fs::path folder_of(const Project& project, const std::string& written) {
  const auto folder = (project.folder / written).lexically_normal();
  // Without the last slash.
  return folder.has_filename() ? folder : folder.parent_path();
}

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

void Project::ignore(unsigned line, const std::string& key, const std::string& why) {
  notes.push_back(
      fmt::format("{}:{}: {} has no effect{}{}", file.string(), line, key, why.empty() ? "" : ": ", why));
}

Result<Project> read_project(const fs::path& file, const std::string& name, const fs::path& made,
                             const Environment& here) {
  std::error_code ignored;
  Project project;
  project.file = file;
  project.folder = fs::absolute(file, ignored).parent_path();
  TRY_LET(project.variables, with_file(project.folder / ".env", here));
  TRY_LET(const auto root, read_yaml(file, project.variables, project.notes));
  const auto* named = root.find("name");
  project.name = !name.empty() ? name
                 : named       ? named->text
                         : plain_name(project.folder.filename().string(), "project", kLongestPlainName / 2);
  if (!is_plain_name(project.name))
    return Error{Failure::usage, fmt::format("'{}' is no name of a project", project.name), kPlainNameForm};
  project.made = made / project.name;
  const auto* services = root.find("services");
  if (!services || services->entries.empty())
    return error_in_line(file, 1, "there are no services in it");
  for (const auto& [key, value] : root.entries) {
    if (key == "volumes") {
      TRY(read_volumes(project, value));
    } else if (key == "networks") {
      TRY(read_networks(project, value));
    } else if (key == "secrets" || key == "configs") {
      TRY(read_files(project, key, value, key == "secrets" ? project.secrets : project.configs));
    } else if (key == "version") {
      project.ignore(value.line, key, "all versions of the format are one");
    } else if (key != "name" && key != "services" && !key.starts_with("x-")) {
      return error_in_line(file, value.line, fmt::format("{}: ukl does not know this key", key),
                           "name, services, volumes, networks, secrets, configs, and what begins with x-");
    }
  }
  // With all that they take over from others, before anybody looks at what they share.
  YamlValue whole = *services;
  for (auto& [service, value] : whole.entries) {
    TRY_LET(value, extended(project, *services, service, {}));
  }
  TRY(share_volumes(project, whole));
  share_folders(project, whole);
  for (const auto& [service, value] : whole.entries) {
    TRY_LET(auto read, read_service(project, service, value));
    project.services.push_back(std::move(read));
  }
  TRY_LET(project.services, Order(project).all());
  TRY(connect_services(project));
  for (const auto& beside : {"compose.override.yaml", "compose.override.yml"})
    if (fs::exists(project.folder / beside, ignored))
      project.notes.push_back(fmt::format("{} is not read", (project.folder / beside).string()));
  return project;
}

std::vector<std::string> start_command(const std::string& tool, const Project& project,
                                       const Service& service) {
  std::vector<std::string> command = {tool,         "run",    "-d",           "--project",
                                      project.name, "--name", service.machine};
  command.insert(command.end(), service.options.begin(), service.options.end());
  const auto network = network_options(project, service);
  command.insert(command.end(), network.begin(), network.end());
  // Whoever names an entrypoint names all words: the image's own arguments are not for it. The first word is
  // the program.
  auto words = service.entrypoint.value_or(std::vector<std::string>());
  if (service.command)
    words.insert(words.end(), service.command->begin(), service.command->end());
  if (service.entrypoint && !words.empty()) {
    command.emplace_back("--entrypoint");
    command.push_back(words.front());
    words.erase(words.begin());
  }
  command.push_back(service.image);
  if (!words.empty()) {
    command.emplace_back("--");
    command.insert(command.end(), words.begin(), words.end());
  }
  return command;
}

} // namespace ukl
