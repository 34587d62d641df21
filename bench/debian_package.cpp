// SPDX-License-Identifier: GPL-2.0-only
#include "debian_package.hpp"
#include "kernel/profile.hpp"
#include "support/files.hpp"
#include "support/places.hpp"
#include "support/process.hpp"
#include "support/terminal.hpp"

#include <fmt/format.h>
#include <sstream>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

Error no_package(const std::string& name, const std::string& detail) {
  return {Failure::not_found, fmt::format("cannot get Debian's package {}: {}", name, detail),
          fmt::format("run apt-get update, and see whether apt-get download {} works", name)};
}

// One field of the package's control data, without its name.
Result<std::string> control_field(const std::string& name, const std::string& field) {
  auto shown = run_command({"apt-cache", "show", "--no-all-versions", name});
  if (!shown)
    return shown.error();
  std::istringstream lines(shown->text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(field + ": "))
      return line.substr(field.size() + 2);
  return no_package(name, fmt::format("apt-cache show names no {}", field));
}

// The archive of one package, in a folder of its own.
Result<fs::path> download(const std::string& name, const std::string& version, const fs::path& workspace) {
  print_note(fmt::format("downloading {} {}", name, version));
  ProcessOptions options;
  options.directory = workspace.string();
  // As user _apt, apt may not write into our folder.
  auto fetched = run_command(
      {"apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", fmt::format("{}={}", name, version)},
      options);
  if (!fetched)
    return fetched.error();
  for (const auto& entry : fs::directory_iterator(workspace))
    if (fetched->status == 0 && entry.path().extension() == ".deb")
      return entry.path();
  return no_package(name, fetched->text);
}

// Unpacked beside its place and renamed, so that an interrupted download is not taken for a whole one.
Result<void> unpack(const fs::path& archive, const fs::path& folder) {
  const auto partial = folder.string() + ".partial";
  std::error_code error;
  fs::remove_all(partial, error);
  fs::create_directories(partial, error);
  if (error)
    return file_error(partial, "create", error.value());
  auto unpacked = run_command({"dpkg-deb", "-x", archive.string(), partial});
  if (!unpacked)
    return unpacked.error();
  if (unpacked->status != 0)
    return Error{Failure::unwritable, fmt::format("cannot unpack {}: {}", archive.string(), unpacked->text),
                 ""};
  fs::rename(partial, folder, error);
  if (error)
    return file_error(folder, "create", error.value());
  return {};
}

} // namespace

Result<DebianPackage> debian_package(const std::string& name) {
  auto version = control_field(name, "Version");
  if (!version)
    return version.error();
  DebianPackage package{name, *version, cache_folder() / "bench" / fmt::format("{}_{}", name, *version)};
  std::error_code ignored;
  if (fs::exists(package.folder, ignored))
    return package;
  auto workspace = TemporaryFolder::create("ukl-bench-package");
  if (!workspace)
    return workspace.error();
  auto archive = download(name, *version, workspace->path());
  if (!archive)
    return archive.error();
  if (auto unpacked = unpack(*archive, package.folder); !unpacked)
    return unpacked.error();
  return package;
}

Result<std::vector<std::string>> dependencies(const std::string& name, const std::string& prefix) {
  auto field = control_field(name, "Depends");
  if (!field)
    return field.error();
  std::vector<std::string> names;
  std::istringstream words(*field);
  for (std::string word; words >> word;)
    if (word.starts_with(prefix))
      names.push_back(word.substr(0, word.find(',')));
  return names;
}

} // namespace ukl::bench
