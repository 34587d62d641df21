// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project_build.hpp"

#include "lifecycle/compose_values.hpp"
#include "sources/source.hpp"
#include "support/files.hpp"
#include "support/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using Kind = YamlValue::Kind;

const std::set<std::string, std::less<>> kIgnored = {
    "labels",  "cache_from", "cache_to",     "no_cache",   "pull",       "shm_size",
    "network", "tags",       "platforms",    "privileged", "provenance", "sbom",
    "ulimits", "isolation",  "entitlements", "extra_hosts"};

std::vector<std::string> entry_options(const Service& service) {
  if (!service.source.starts_with("deb:") || !service.entrypoint || service.entrypoint->empty())
    return {};
  return {"--entrypoint", service.entrypoint->front()};
}

// Another source, another file: so one that is there is of this one.
std::string made_name(const Service& service) {
  std::string inputs = service.source;
  if (const auto& build = service.build)
    inputs = fmt::format("{}\n{}\n{}\n{}\n{}", build->context, build->file, build->inline_file, build->target,
                         fmt::join(build->arguments, "\n"));
  // Of packages, the program is chosen when they are packed.
  for (const auto& option : entry_options(service))
    inputs += "\n" + option;
  for (const auto& option : service.pack_options)
    inputs += "\n" + option;
  const auto name = service.build ? service.name : plain_name(service.source, "image", kLongestPlainName);
  return fmt::format("{}-{}.ukl", name, sha256_hex(inputs).substr(0, 12));
}

} // namespace

Result<Service::Build> read_build(Project& project, const std::string& service, const YamlValue& value) {
  Service::Build build;
  const ComposeKey key{project.file, fmt::format("services.{}.build", service)};
  if (value.kind == Kind::text)
    build.context = value.text;
  for (const auto& [name, entry] : value.entries) {
    if (name == "args") {
      TRY_LET(const auto arguments, key.pairs(entry));
      for (const auto& [variable, text] : arguments)
        build.arguments.push_back(text ? fmt::format("{}={}", variable, *text) : variable);
      continue;
    }
    const std::map<std::string, std::string*, std::less<>> fields = {
        {"context", &build.context},
        {"dockerfile", &build.file},
        {"dockerfile_inline", &build.inline_file},
        {"target", &build.target}};
    if (const auto field = fields.find(name); field != fields.end()) {
      TRY_LET(*field->second, key.text(entry));
    } else if (kIgnored.contains(name)) {
      project.ignore(entry.line, fmt::format("{}.{}", key.key, name));
    } else if (!name.starts_with("x-")) {
      return key.wrong(entry, fmt::format("ukl does not know {}", name),
                       "context, dockerfile, dockerfile_inline, target, args");
    }
  }
  if (build.context.empty())
    build.context = ".";
  std::error_code ignored;
  if (!fs::is_directory(project.folder / build.context, ignored))
    return key.wrong(value, fmt::format("there is no folder {}", build.context));
  return build;
}

Result<void> choose_image(Project& project, Service& service, const YamlValue* image) {
  const ComposeKey key{project.file, fmt::format("services.{}.image", service.name)};
  if (!service.build) {
    if (!image)
      return error_in_line(
          project.file, service.line, fmt::format("services.{} has no image", service.name),
          "image names a file that ukl pack made, a source of it (deb:redis-server), or an image of a "
          "registry; or write build");
    if (image->kind != Kind::text)
      return key.wrong(*image, "a text is expected");
    const auto& written = image->text;
    std::error_code ignored;
    const bool is_path = written.starts_with('/') || written.starts_with('.') || written.ends_with(".ukl");
    if (fs::is_regular_file(project.folder / written, ignored)) {
      service.image = written;
      return {};
    }
    if (is_path)
      return key.wrong(*image, fmt::format("there is no file {}", written),
                       fmt::format("make it: ukl pack PROGRAM -o {}", written));
    service.source = names_source(written) ? written : "oci:" + written;
  }
  service.image = (project.made / made_name(service)).string();
  return {};
}

std::vector<std::vector<std::string>> make_commands(const std::string& tool, const std::string& builder,
                                                    const Project& project, const Service& service,
                                                    const fs::path& output) {
  std::vector<std::vector<std::string>> commands;
  auto source = service.source;
  if (const auto& build = service.build) {
    const auto tag = fmt::format("localhost/ukl-{}-{}", project.name, service.name);
    std::vector<std::string> command = {builder, "build", "-t", tag};
    const auto add = [&](const char* option, const std::string& value) {
      command.emplace_back(option);
      command.push_back(value);
    };
    if (!build->inline_file.empty())
      add("-f", (project.made / (service.name + ".dockerfile")).string());
    else if (!build->file.empty())
      add("-f", (fs::path(build->context) / build->file).string());
    if (!build->target.empty())
      add("--target", build->target);
    for (const auto& argument : build->arguments)
      add("--build-arg", argument);
    command.push_back(build->context);
    commands.push_back(std::move(command));
    source = (builder == "docker" ? "docker-daemon:" : "containers-storage:") + tag + ":latest";
  }
  std::vector<std::string> command = {tool, "pack", source, "-o", output.string()};
  for (const auto& options : {entry_options(service), service.pack_options})
    command.insert(command.end(), options.begin(), options.end());
  commands.push_back(std::move(command));
  return commands;
}

} // namespace ukl
