// SPDX-License-Identifier: GPL-2.0-only
#include "server_tree.hpp"
#include "contents/libraries.hpp"
#include "contents/root_defaults.hpp"
#include "image/payload.hpp"

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

Result<RootTree> server_tree(const PackagedProgram& program, const std::vector<std::string>& arguments,
                             const fs::path& start) {
  auto elf = read_elf(program.file);
  if (!elf)
    return elf.error();
  auto folders = glibc_folders();
  folders.configured.insert(folders.configured.begin(), program.folders.begin(), program.folders.end());
  auto libraries = find_libraries(program.file, folders);
  if (!libraries)
    return libraries.error();

  RootTree tree;
  std::vector<std::pair<std::string, TreeEntry>> entries = {
      {"/init", host_entry(start, 0755)},
      {"/usr/bin/" + arguments.front(), host_entry(program.file, 0755)},
      {"/bench/command", text_entry(fmt::format("{}\n", fmt::join(arguments, "\n")))},
  };
  // All in one folder that every glibc searches; the loader itself where the program asks for it.
  for (const auto& library : *libraries)
    entries.emplace_back(elf->interpreter.ends_with("/" + library.name)
                             ? elf->interpreter
                             : "/lib/x86_64-linux-gnu/" + library.name,
                         host_entry(library.path, 0755));
  // Neither system has an init that writes them.
  entries.emplace_back("/etc/hosts", text_entry("127.0.0.1 localhost bench\n"));
  for (auto& [path, entry] : entries)
    if (auto added = tree.add(path, std::move(entry)); !added)
      return added.error();
  if (auto added = add_defaults(tree, ""); !added)
    return added.error();
  return tree;
}

} // namespace ukl::bench
