// SPDX-License-Identifier: GPL-2.0-only
#include "commands/project_images.hpp"

#include "image/write.hpp"
#include "lifecycle/project_build.hpp"
#include "lifecycle/project_health.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBuilders[] = {"buildah", "podman", "docker"};

// The first of those that are here, all of which take the same words; the first of all if none is.
std::string builder() {
  for (const auto* name : kBuilders)
    if (const auto found = run_command({name, "--version"}); found && found->status == 0)
      return name;
  return kBuilders[0];
}

bool is_made(const Project& project, const Service& service) {
  std::error_code ignored;
  return fs::is_regular_file(project.folder / service.image, ignored);
}

bool is_to_be_made(const Project& project, const Service& service, bool anew) {
  const bool comes_along = service.source.empty() && !service.build;
  return !comes_along && (anew || service.always_make || !is_made(project, service));
}

// With its words on standard error, until it has ended or an interrupt comes.
Result<void> run_visibly(const Project& project, const Service& service,
                         const std::vector<std::string>& command) {
  ProcessOptions options;
  options.directory = project.folder;
  options.standard_output = STDERR_FILENO;
  TRY_LET(auto process, Process::start(command, options));
  std::optional<int> status;
  constexpr std::chrono::milliseconds kLook{100}, kPatience{10000};
  while (!(status = process.wait_for(kLook)))
    if (interrupted()) {
      // Only a terminal's Ctrl-C has told it, too; it takes what is half-made away.
      process.signal(SIGTERM);
      process.wait_for(kPatience);
      return Error{Failure::interrupted,
                   fmt::format("interrupted: the image of {} is not made", service.name), ""};
    }
  if (*status == 0)
    return {};
  // Its reason stands above.
  const bool ours = command[1] == "pack";
  return Error{ours ? static_cast<Failure>(*status) : Failure::compile,
               fmt::format("the image of {} is not made: {} {} ended with status {}", service.name,
                           fs::path(command[0]).filename().string(), command[1], *status),
               ""};
}

Result<void> write_inline_file(const Project& project, const Service& service) {
  if (!service.build || service.build->inline_file.empty())
    return {};
  return write_text(project.made / (service.name + ".dockerfile"), service.build->inline_file);
}

} // namespace

std::vector<std::vector<std::string>> image_commands(const Project& project, const Service& service,
                                                     bool anew) {
  if (!is_to_be_made(project, service, anew))
    return {};
  return make_commands("ukl", service.build ? builder() : "", project, service, service.image);
}

Result<void> make_images(const Project& project, const std::set<std::string>& wanted, const std::string& tool,
                         bool anew) {
  for (const auto& service : project.services) {
    if (!wanted.contains(service.name) || !is_to_be_made(project, service, anew))
      continue;
    std::error_code failure;
    fs::create_directories(project.made, failure);
    if (failure)
      return file_error(project.made, "create", failure.value());
    TRY(write_inline_file(project, service));
    print_note(service.build ? fmt::format("{}: building {}", service.name, service.build->context)
                             : fmt::format("{}: packing {}", service.name, service.source));
    for (const auto& command :
         make_commands(tool, service.build ? builder() : "", project, service, service.image))
      TRY(run_visibly(project, service, command));
  }
  return {};
}

Result<void> fit_to_images(Project& project) {
  for (auto& service : project.services) {
    if (!is_made(project, service))
      continue;
    TRY_LET(const auto image, read_image(project.folder / service.image));
    service.image_known = true;
    const auto lacks = values_of(image.manifest, key::lacks);
    if (std::ranges::find(lacks, "network") != lacks.end())
      service.has_network = false;
    if (!service.health && !service.health_disabled)
      service.health = image_health(value_of(image.manifest, key::health));
  }
  return check_health(project);
}

} // namespace ukl
