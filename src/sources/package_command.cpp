// SPDX-License-Identifier: GPL-2.0-only
#include "sources/package_command.hpp"
#include "contents/file_view.hpp"
#include "sources/known_packages.hpp"
#include "sources/tree_setup.hpp"
#include "sources/unit_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sstream>

namespace ukl {
namespace {

constexpr std::string_view kUnitFolders[] = {"/lib/systemd/system/", "/usr/lib/systemd/system/"};
constexpr const char* kProgramFolders[] = {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/", "/usr/games/"};

const PackageArchive* find_package(const std::vector<PackageArchive>& packages, const std::string& name) {
  const auto found = std::ranges::find(packages, name, &PackageArchive::name);
  return found == packages.end() ? nullptr : &*found;
}

// The names of a package's units of services that are no templates, by path.
std::vector<std::string> units_of(const PackageArchive& package) {
  std::vector<std::string> units;
  for (const auto& entry : package.layer.entries)
    for (const auto folder : kUnitFolders) {
      const auto name = entry.path.starts_with(folder) ? entry.path.substr(folder.size()) : std::string();
      if (entry.kind == LayerEntry::Kind::file && name.ends_with(".service") &&
          name.find_first_of("@/") == std::string::npos)
        units.push_back(entry.path);
    }
  return units;
}

std::string stem_of(const std::string& path) {
  const auto name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

struct FoundUnit {
  std::string path;
  std::string package;
};

// Whether a unit says that it is also known as `name` (systemd.unit(5), Alias=).
bool has_alias(const RootTree& tree, const std::string& unit, const std::string& name) {
  std::istringstream lines(text_in_tree(tree, unit).value_or(""));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("Alias=") &&
        (" " + line.substr(6) + " ").find(" " + name + ".service ") != std::string::npos)
      return true;
  return false;
}

// The unit that a package is about: of its name, with its name for an alias (bind9, named), or its only one;
// else one of a package that came with it which is named as the beginning of its name (nginx-light, nginx).
std::optional<FoundUnit> find_unit(const std::string& name, const std::vector<PackageArchive>& packages,
                                   const RootTree& tree) {
  if (const auto* package = find_package(packages, name)) {
    const auto units = units_of(*package);
    for (const auto& unit : units)
      if (stem_of(unit) == name || has_alias(tree, unit, name))
        return FoundUnit{unit, name};
    if (units.size() == 1)
      return FoundUnit{units[0], name};
  }
  for (const auto& package : packages)
    for (const auto& unit : units_of(package))
      if (stem_of(unit) == name || name.starts_with(stem_of(unit) + "-"))
        return FoundUnit{unit, package.name};
  return std::nullopt;
}

// A package's programs, and the names that update-alternatives has given to them.
std::vector<std::string> programs_of(const PackageArchive& package, const RootTree& tree) {
  std::vector<std::string> programs;
  for (const auto& [path, entry] : tree.entries())
    if (entry.type == TreeEntry::Type::link && entry.target.starts_with("/etc/alternatives/"))
      for (const std::string folder : kProgramFolders)
        if (const auto* real = tree.find(path);
            real && real->package && path.starts_with(folder) && real->package->name == package.name)
          programs.push_back(path);
  for (const auto& entry : package.layer.entries)
    for (const std::string folder : kProgramFolders)
      if (entry.kind != LayerEntry::Kind::folder && entry.path.starts_with(folder) &&
          entry.path.find('/', folder.size()) == std::string::npos)
        programs.push_back(entry.path);
  std::ranges::sort(programs);
  return programs;
}

std::string program_of(const std::string& name, const std::vector<PackageArchive>& packages,
                       const RootTree& tree, Source& source) {
  for (const std::string folder : kProgramFolders)
    if (tree.find(folder + name))
      return folder + name;
  const auto* package = find_package(packages, name);
  const auto programs = package ? programs_of(*package, tree) : std::vector<std::string>();
  if (programs.size() == 1)
    return programs[0];
  source.no_program =
      programs.empty()
          ? fmt::format("{} has no program: name one with --entrypoint, or add its files with --with", name)
          : fmt::format("choose one with --entrypoint: {}", fmt::join(programs, ", "));
  return {};
}

void take_unit(const FoundUnit& found, SystemUsers& users, Source& source) {
  const auto text = text_in_tree(source.tree, found.path);
  if (!text)
    return;
  const auto unit = read_unit_file(*text, stem_of(found.path),
                                   [&](const std::string& path) { return text_in_tree(source.tree, path); });
  // A unit that starts nothing stands for others, one for each instance (tor, postgresql).
  if (!unit.command.empty() && !unit.command[0].ends_with("/true")) {
    source.entrypoint = {unit.command[0]};
    source.arguments.assign(unit.command.begin() + 1, unit.command.end());
  }
  source.environment = unit.environment;
  source.directory = unit.directory;
  source.low_ports = unit.low_ports;
  source.background = unit.forks;
  const auto* user = users.find_user(unit.user);
  const auto group = users.find_group(unit.group);
  // As systemd sets it.
  if (user && !unit.as_root)
    source.environment.insert(source.environment.begin(), "HOME=" + user->home);
  if (user && !unit.as_root)
    source.user = fmt::format("{}:{}", user->user, group.value_or(user->group));
  for (const auto& [path, mode] : unit.folders)
    make_folder(source.tree, users, path, mode, unit.user,
                unit.group.empty() && user ? std::to_string(user->group) : unit.group);
  if (unit.forks)
    source.command_notes.push_back(fmt::format(
        "{} goes into the background: the machine runs until it ends, but its status is not known; arguments "
        "after -- may keep it in the foreground",
        stem_of(found.path)));
  bool others = unit.has_more_steps;
  for (const auto& command : unit.before)
    others = !set_up(source.tree, users, command) || others;
  if (others)
    source.command_notes.push_back(fmt::format("of {}.service only ExecStart is run", stem_of(found.path)));
}

} // namespace

void choose_package_command(const std::string& name, const std::vector<PackageArchive>& packages,
                            SystemUsers& users, Source& source) {
  const auto unit = find_unit(name, packages, source.tree);
  if (unit)
    take_unit(*unit, users, source);
  const auto known = std::ranges::find_if(kKnownPackages, [&](const auto& one) {
    return is_known_as(one, name) || (unit && is_known_as(one, unit->package));
  });
  if (known != kKnownPackages.end()) {
    source.entrypoint = {known->command[0]};
    source.arguments.assign(known->command.begin() + 1, known->command.end());
    if (const auto* user = users.find_user(std::string(known->user)); user && source.user.empty())
      source.user = fmt::format("{}:{}", user->user, user->group);
    // What the unit says of itself is of another command.
    source.command_notes.clear();
    source.background = false;
    source.command_notes.emplace_back(known->reason);
  }
  if (source.entrypoint.empty())
    if (const auto program = program_of(name, packages, source.tree, source); !program.empty())
      source.entrypoint = {program};
}

} // namespace ukl
