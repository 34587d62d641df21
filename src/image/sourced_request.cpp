// SPDX-License-Identifier: GPL-2.0-only
#include "image/sourced_request.hpp"
#include "sources/tree_users.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// What init sets if nobody else does.
constexpr const char* kUsualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string path_variable(const std::vector<std::string>& environment) {
  std::string path = kUsualPath;
  for (const auto& variable : environment)
    if (variable.starts_with("PATH="))
      path = variable.substr(5);
  return path;
}

bool is_name(const std::string& user) {
  return user.find_first_not_of("0123456789:") != std::string::npos;
}

// The program, with arguments that replace the source's.
Result<void> choose_command(const PackRequest& asked, const Source& source, PackRequest& request) {
  auto command = asked.entrypoint.empty() ? source.entrypoint : std::vector{asked.entrypoint};
  const auto& rest = asked.arguments.empty() && asked.entrypoint.empty() ? source.arguments : asked.arguments;
  command.insert(command.end(), rest.begin(), rest.end());
  if (command.empty())
    return Error{Failure::usage, fmt::format("there is no program to start in {}", asked.program),
                 source.no_program};
  request.program = command[0];
  request.entry = asked.entrypoint.empty() ? source.entrypoint.size() : 1;
  request.arguments.assign(command.begin() + 1, command.end());
  return {};
}

void choose_settings(const Source& source, GuestSettings& settings) {
  settings.environment.insert(settings.environment.begin(), source.environment.begin(),
                              source.environment.end());
  if (settings.directory.empty())
    settings.directory = source.directory;
  if (settings.user.empty()) {
    settings.user = source.user;
    settings.groups.insert(settings.groups.end(), source.groups.begin(), source.groups.end());
  }
  if (settings.ports.empty())
    settings.ports = source.ports;
  if (settings.stop_signal.empty())
    settings.stop_signal = source.stop_signal;
  if (source.low_ports && !settings.user.empty())
    settings.sysctls.insert(settings.sysctls.begin(), std::string(kFirstFreePort) + "=0");
}

} // namespace

Result<RootTree> tree_of_program(const SourcedRequest& sourced) {
  auto tree = sourced.source->tree;
  CopiedFiles copied;
  for (const auto& file : sourced.request.files)
    TRY(tree.add_copy(file.host, file.guest, copied));
  return tree;
}

Result<SourcedRequest> read_sources(const PackRequest& asked) {
  SourcedRequest all{asked, std::nullopt, names_source(asked.program), "", ""};
  // Debian's servers lie where an ordinary user's PATH does not lead.
  all.search_path = asked.places.search_path + ":/usr/sbin:/sbin";
  if (!asked.entrypoint.empty() && !all.program_in_source)
    return Error{Failure::usage, "--entrypoint is for sources like oci: and deb:",
                 fmt::format("write the program itself in place of {}", asked.program)};
  std::vector<std::string> names = asked.with;
  if (all.program_in_source)
    names.insert(names.begin(), asked.program);
  if (names.empty())
    return all;
  TRY_LET(all.source, open_sources(names, *asked.reporter));
  auto& settings = all.request.settings;
  if (all.program_in_source) {
    TRY(choose_command(asked, *all.source, all.request));
    choose_settings(*all.source, settings);
    auto& source = *all.source;
    source.notes.insert(source.notes.end(), source.command_notes.begin(), source.command_notes.end());
    all.name = all.source->name;
    all.search_path = path_variable(settings.environment);
    // A path that is not absolute begins where the program does.
    auto& program = all.request.program;
    if (program.find('/') != std::string::npos && !program.starts_with('/'))
      program = fs::path(settings.directory.empty() ? "/" : settings.directory) / program;
  }
  const bool of_the_tree = all.program_in_source ||
                           find_tree_user(all.source->tree, settings.user.substr(0, settings.user.find(':')));
  if (is_name(settings.user) && of_the_tree) {
    const auto groups = further_groups(all.source->tree, settings.user);
    settings.groups.insert(settings.groups.end(), groups.begin(), groups.end());
    TRY_LET(settings.user, resolve_user(all.source->tree, settings.user));
  }
  return all;
}

} // namespace ukl
