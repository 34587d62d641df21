// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project_files.hpp"

#include "lifecycle/compose_values.hpp"
#include "support/files.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using Kind = YamlValue::Kind;

// One of a service's: its name in the file, and where it is to be.
struct Use {
  const YamlValue* value;
  std::string source, target;
};

Result<std::vector<Use>> uses_of(Project& project, const ComposeKey& key, const YamlValue& value) {
  std::vector<Use> uses;
  if (value.kind != Kind::list)
    return key.wrong(value, "a list is expected");
  for (const auto& one : value.items) {
    Use use{&one, one.text, ""};
    for (const auto& [name, entry] : one.entries) {
      TRY_LET(const auto written, key.text(entry));
      if (name == "source")
        use.source = written;
      else if (name == "target")
        use.target = written;
      else if (name == "uid" || name == "gid" || name == "mode")
        project.ignore(entry.line, fmt::format("{}.{}", key.key, name));
      else
        return key.wrong(entry, fmt::format("there is no {}", name), "source, target, uid, gid, mode");
    }
    uses.push_back(std::move(use));
  }
  return uses;
}

Result<const ProjectFile*> find_file(const std::map<std::string, ProjectFile>& files, const ComposeKey& key,
                                     const Use& use, const char* list) {
  const auto found = files.find(use.source);
  if (found == files.end())
    return key.wrong(*use.value, fmt::format("there is no '{}'", use.source),
                     fmt::format("list it below {}:", list));
  return &found->second;
}

} // namespace

Result<void> read_files(Project& project, const std::string& key, const YamlValue& value,
                        std::map<std::string, ProjectFile>& files) {
  for (const auto& [name, entry] : value.entries) {
    ProjectFile file;
    const ComposeKey where{project.file, fmt::format("{}.{}", key, name)};
    for (const auto& [setting, text] : entry.entries) {
      if (setting == "file")
        file.file = text.text;
      else if (setting == "environment")
        file.variable = text.text;
      else if (setting == "content" && key == "configs")
        file.content = text.text;
      else if (setting == "external")
        return where.wrong(text, "there is no store of such things outside of the project",
                           "name a file, or a variable: environment");
      else if (setting == "labels" || setting == "template_driver" || setting == "name" ||
               setting == "driver")
        project.ignore(text.line, fmt::format("{}.{}", where.key, setting));
      else if (!setting.starts_with("x-"))
        return where.wrong(text, fmt::format("ukl does not know {}", setting),
                           "file, environment, or content of configs");
    }
    if (file.file.empty() && file.variable.empty() && !file.content)
      return where.wrong(entry, "it has no file", "name one, or a variable: environment");
    // A variable's value is written like contents that stand here.
    if (key == "configs" && !file.variable.empty()) {
      file.content = project.variables(file.variable);
      if (!file.content)
        return where.wrong(entry, fmt::format("the variable {} is not set", file.variable));
    }
    // What `ukl run` takes is a file.
    if (key == "configs" && file.file.empty())
      file.file = (project.made / ("config-" + name)).string();
    files.emplace(name, std::move(file));
  }
  return {};
}

Result<std::vector<std::string>> secret_options(Project& project, const std::string& service,
                                                const YamlValue& value) {
  const ComposeKey key{project.file, fmt::format("services.{}.secrets", service)};
  TRY_LET(const auto uses, uses_of(project, key, value));
  std::vector<std::string> options;
  for (const auto& use : uses) {
    TRY_LET(const auto* file, find_file(project.secrets, key, use, "secrets"));
    auto name = use.target.empty() ? use.source : use.target;
    const std::string folder = "/run/secrets/";
    if (name.starts_with(folder))
      name = name.substr(folder.size());
    if (name.find('/') != std::string::npos)
      return key.wrong(*use.value, fmt::format("'{}' is no file of /run/secrets", use.target),
                       "secrets are there, and nowhere else; configs may be anywhere");
    options.emplace_back("--secret");
    options.push_back(fmt::format("{}={}", name, file->variable.empty() ? file->file : "$" + file->variable));
  }
  return options;
}

Result<std::vector<std::string>> config_options(Project& project, const std::string& service,
                                                const YamlValue& value) {
  const ComposeKey key{project.file, fmt::format("services.{}.configs", service)};
  TRY_LET(const auto uses, uses_of(project, key, value));
  std::vector<std::string> options;
  for (const auto& use : uses) {
    TRY_LET(const auto* file, find_file(project.configs, key, use, "configs"));
    const auto target = use.target.empty() ? use.source : use.target;
    options.emplace_back("--config");
    options.push_back(fmt::format("{}:{}{}", file->file, target.starts_with('/') ? "" : "/", target));
  }
  return options;
}

Result<void> write_contents(const Project& project) {
  for (const auto& [name, config] : project.configs) {
    if (!config.content)
      continue;
    std::error_code failure;
    fs::create_directories(project.made, failure);
    if (failure)
      return file_error(project.made, "create", failure.value());
    TRY(write_text(config.file, *config.content));
  }
  return {};
}

void remove_contents(const Project& project) {
  std::error_code ignored;
  for (const auto& [name, config] : project.configs)
    if (config.content)
      fs::remove(config.file, ignored);
  // If nothing else has been made.
  fs::remove(project.made, ignored);
}

} // namespace ukl
