// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/inputs.hpp"
#include "kernel/profile.hpp"
#include "support/environment.hpp"
#include "support/files.hpp"
#include "support/installation.hpp"
#include "support/places.hpp"
#include "support/process.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <glob.h>
#include <map>
#include <sstream>
#include <sys/stat.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

std::string hash_of(const std::string& text) {
  return sha256_hex(text);
}

// `CONFIG_NAME=value` and `# CONFIG_NAME is not set` are settings; everything else is comment.
std::string setting_name(const std::string& line) {
  const std::string unset = "# CONFIG_";
  if (line.starts_with("CONFIG_"))
    return line.substr(0, line.find('='));
  if (line.starts_with(unset) && line.ends_with(" is not set"))
    return line.substr(2, line.find(' ', 2) - 2);
  return {};
}

using Settings = std::map<std::string, std::string>; // by name: the line

// A file's settings go over those that are there. `# include NAME` stands for the file of that name beside
// it.
Result<void> merge_file(const fs::path& file, Settings& settings) {
  const std::string include = "# include ";
  TRY_LET(const auto text, read_text(file));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(include)) {
      TRY(merge_file(file.parent_path() / line.substr(include.size()), settings));
    } else if (const auto setting = setting_name(line); !setting.empty()) {
      settings[setting] = line;
    }
  }
  return {};
}

Result<void> check_listed(const char* what, const std::string& name, const std::vector<std::string>& names) {
  if (std::ranges::find(names, name) != names.end())
    return {};
  return Error{Failure::usage, fmt::format("there is no {} {}", what, name),
               fmt::format("there are: {}", fmt::join(names, ", "))};
}

// Lines `SETTING -> SETTING` or `SETTING -> ` of a file that need not be there: what stands in the profiles,
// and what a release calls it.
Result<Settings> renamed_settings(const fs::path& file) {
  Settings renamed;
  std::error_code failure;
  if (!fs::exists(file, failure))
    return renamed;
  const std::string arrow = " ->";
  TRY_LET(const auto text, read_text(file));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (const auto at = line.find(arrow); at != std::string::npos)
      renamed[line.substr(0, at)] = line.substr(std::min(line.size(), at + arrow.size() + 1));
  return renamed;
}

// The first line that `tool --version` prints, or nothing if it is not installed.
std::string tool_version(const std::string& tool) {
  // Each profile's inputs are asked for several times, and a compiler takes its time to say its name.
  static std::map<std::string, std::string> known;
  if (const auto found = known.find(tool); found != known.end())
    return found->second;
  auto output = run_command({"env", "LC_ALL=C", tool, "--version"});
  if (!output || output->status != 0)
    return {};
  return known[tool] = output->text.substr(0, output->text.find('\n'));
}

Result<std::vector<fs::path>> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; !failure && entry != end;
       entry.increment(failure))
    if (!entry->is_directory())
      files.push_back(entry->path());
  if (failure && failure.value() != ENOENT)
    return file_error(folder, "read", failure.value());
  std::ranges::sort(files);
  return files;
}

// One hash over the names (relative to `folder`) and the contents of files.
Result<std::string> hash_files(const std::vector<fs::path>& files, const fs::path& folder) {
  std::string list;
  for (const auto& file : files) {
    TRY_LET(auto bytes, read_file(file));
    list += fmt::format("{} {}\n", sha256_hex(bytes), file.lexically_relative(folder).string());
  }
  return hash_of(list);
}

Result<std::string> source_hash(const fs::path& source) {
  struct stat info = {};
  if (stat(source.c_str(), &info) != 0)
    return file_error(source, "read", errno);
  const std::string identity =
      fmt::format("{} {} {}.{:09}", source.string(), info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  const fs::path memory = cache_folder() / "source" / "sha256";
  if (auto known = read_text(memory); known && known->starts_with(identity + "\n"))
    return known->substr(identity.size() + 1);
  TRY_LET(auto bytes, read_file(source));
  const std::string hash = sha256_hex(bytes);
  // A cache that cannot be written costs time, no more.
  std::error_code ignored;
  fs::create_directories(memory.parent_path(), ignored);
  (void)write_text(memory, identity + "\n" + hash);
  return hash;
}

} // namespace

std::vector<std::string> make_settings(const std::string& configuration) {
  const auto has = [&](const std::string& line) {
    return ("\n" + configuration).find("\n" + line + "\n") != std::string::npos;
  };
  const bool small = has("CONFIG_CC_OPTIMIZE_FOR_SIZE=y");
  std::vector<std::string> settings = {small ? "KCFLAGS=-mstringop-strategy=libcall" : "KCFLAGS=-O3",
                                       "cmd_strip_relocs=:"};
  if (has("CONFIG_UKL=y"))
    settings.emplace_back("CFLAGS_virtio_mmio.o=-include asm/ukl_virtio_mmio.h");
  if (has("CONFIG_UKL_DENSE=y"))
    settings.emplace_back("KBUILD_LDS=arch/x86/ukl/vmlinux.lds");
  return settings;
}

Result<fs::path> find_linux_source(const std::string& release) {
  const auto pattern =
      variable_or("UKL_LINUX_SOURCE", fmt::format("/usr/src/linux-source-{}.tar.xz", release));
  glob_t found = {};
  const bool none = glob(pattern.c_str(), 0, nullptr, &found) != 0;
  const fs::path newest = none ? "" : found.gl_pathv[found.gl_pathc - 1];
  globfree(&found);
  if (none)
    return Error{Failure::missing_tool, fmt::format("Linux's source is not installed ({})", pattern),
                 fmt::format("sudo apt-get install linux-source-{}", release)};
  return newest;
}

Result<std::string> merged_configuration(const std::string& name) {
  const auto [profile, release] = parse_profile(name);
  const auto folder = find_installation().kernel;
  TRY(check_listed("kernel profile", profile, kernel_profiles()));
  TRY(check_listed("patch for Linux", release, kernel_releases()));
  Settings settings;
  for (const auto& part : {std::string("base"), profile})
    TRY(merge_file(folder / "profiles" / (part + ".config"), settings));
  TRY_LET(const auto renamed, renamed_settings(folder / "patches" / release / "settings"));
  std::string merged;
  for (const auto& [setting, line] : settings) {
    const auto found = renamed.find(line);
    const auto& there = found == renamed.end() ? line : found->second;
    if (!there.empty())
      merged += there + "\n";
  }
  return merged;
}

Result<KernelInputs> kernel_inputs(const std::string& name, bool unpatched) {
  const fs::path folder = find_installation().kernel;
  const auto [profile, release] = parse_profile(name);
  KernelInputs inputs;
  inputs.profile = profile_name(profile, release);
  TRY_LET(auto configuration, merged_configuration(name));
  inputs.configuration = configuration;

  std::vector<fs::path> files;
  if (!unpatched) {
    TRY_LET(auto patches, files_below(folder / "patches" / release));
    std::erase_if(patches, [](const fs::path& path) { return path.extension() != ".patch"; });
    inputs.patches = patches;
    inputs.files = folder / "files";
    TRY_LET(auto ours, files_below(inputs.files));
    files = ours;
  }
  TRY_LET(auto patches_hash, hash_files(inputs.patches, folder));
  TRY_LET(auto files_hash, hash_files(files, folder));

  inputs.description = fmt::format("profile {}\nconfiguration {}\npatches {}\nfiles {}\n", inputs.profile,
                                   hash_of(inputs.configuration), patches_hash, files_hash);
  bool complete = true;
  const auto describe = [&](const char* name, const std::string& value) {
    if (value.empty())
      complete = false;
    else
      inputs.description += fmt::format("{} {}\n", name, value);
  };
  if (auto source = find_linux_source(release)) {
    TRY_LET(auto hash, source_hash(*source));
    inputs.source = *source;
    inputs.source_hash = hash;
  }
  describe("flags", fmt::format("{}", fmt::join(make_settings(inputs.configuration), " ")));
  describe("source", inputs.source_hash);
  describe("compiler", tool_version("gcc"));
  describe("linker", tool_version("ld"));
  if (complete)
    inputs.hash = hash_of(inputs.description).substr(0, 16);
  return inputs;
}

} // namespace ukl
