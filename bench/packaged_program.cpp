// SPDX-License-Identifier: GPL-2.0-only
#include "packaged_program.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ukl::bench {

namespace fs = std::filesystem;

Result<PackagedProgram> packaged_program(const std::string& path, const std::vector<std::string>& packages) {
  PackagedProgram program;
  for (const auto& name : packages) {
    auto package = debian_package(name);
    if (!package)
      return package.error();
    if (program.file.empty())
      program.file = package->folder / path;
    program.versions[name] = package->version;
    for (const auto* folder : {"usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"})
      program.folders.push_back(package->folder / folder);
  }
  std::error_code ignored;
  if (!fs::exists(program.file, ignored))
    return Error{Failure::not_found, fmt::format("package {} has no /{}", packages.front(), path), ""};
  return program;
}

std::vector<std::string> environment_of(const PackagedProgram& program) {
  std::vector<std::string> folders;
  for (const auto& folder : program.folders)
    folders.push_back(folder.string());
  return {fmt::format("LD_LIBRARY_PATH={}", fmt::join(folders, ":"))};
}

GuestProgram guest_program(const PackagedProgram& program, const std::vector<std::string>& words,
                           const fs::path& start) {
  GuestProgram guest;
  guest.file = program.file;
  guest.path = "/usr/bin/" + words.front();
  guest.arguments.assign(words.begin() + 1, words.end());
  guest.library_folders = program.folders;
  guest.start = start;
  return guest;
}

} // namespace ukl::bench
