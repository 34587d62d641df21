// SPDX-License-Identifier: GPL-2.0-only
#include "guest_program.hpp"
#include "contents/libraries.hpp"
#include "contents/root_defaults.hpp"
#include "support/files.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ukl::bench {
namespace {

namespace fs = std::filesystem;

// All in one folder that every glibc searches; the loader itself where the program asks for it.
Result<void> add_libraries(RootTree& tree, const GuestProgram& program) {
  TRY_LET(const auto elf, read_elf(program.file));
  if (elf.interpreter.empty())
    return {};
  auto folders = glibc_folders();
  folders.configured.insert(folders.configured.begin(), program.library_folders.begin(),
                            program.library_folders.end());
  TRY_LET(const auto libraries, find_libraries(program.file, folders));
  for (const auto& library : libraries) {
    const bool loader = elf.interpreter.ends_with("/" + library.name);
    TRY(tree.add(loader ? elf.interpreter : "/lib/x86_64-linux-gnu/" + library.name,
                 host_entry(library.path, 0755)));
  }
  return {};
}

} // namespace

Result<PackRequest> pack_request(const GuestProgram& program, const fs::path& folder) {
  PackRequest request;
  TRY_LET(request.places, read_places());
  request.program = program.file;
  request.guest_path = program.path;
  request.arguments = program.arguments;
  request.library_folders = program.library_folders;
  std::size_t count = 0;
  const auto name = [&] { return folder / fmt::format("added-{}", count++); };
  for (const auto& [path, text] : program.texts) {
    const auto file = name();
    TRY(write_text(file, text));
    request.files.push_back({file, path});
  }
  for (const auto& path : program.folders) {
    const auto empty = name();
    std::error_code failure;
    if (fs::create_directories(empty, failure); failure)
      return file_error(empty, "create", failure.value());
    request.files.push_back({empty, path});
  }
  return request;
}

Result<RootTree> foreign_tree(const GuestProgram& program, const std::vector<fs::path>& modules) {
  RootTree tree;
  if (program.start.empty()) {
    TRY(tree.add("/init", host_entry(program.file, 0755)));
  } else {
    auto words = program.arguments;
    words.insert(words.begin(), program.path);
    TRY(tree.add("/init", host_entry(program.start, 0755)));
    TRY(tree.add(program.path, host_entry(program.file, 0755)));
    TRY(tree.add("/bench/command", text_entry(fmt::format("{}\n", fmt::join(words, "\n")))));
    TRY(tree.add("/etc/hosts", text_entry("127.0.0.1 localhost bench\n")));
  }
  TRY(add_libraries(tree, program));
  for (const auto& [path, text] : program.texts)
    TRY(tree.add(path, text_entry(text)));
  for (const auto& path : program.folders)
    TRY(tree.add(path, folder_entry(0755)));
  for (std::size_t i = 0; i < modules.size(); ++i)
    TRY(tree.add(fmt::format("/bench/modules/{:02}.ko", i), host_entry(modules[i], 0644)));
  TRY(add_defaults(tree, ""));
  return tree;
}

} // namespace ukl::bench
