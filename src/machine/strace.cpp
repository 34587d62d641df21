// SPDX-License-Identifier: GPL-2.0-only
#include "machine/strace.hpp"

#include "contents/libraries.hpp"
#include "contents/program.hpp"
#include "support/environment.hpp"
#include "support/files.hpp"
#include "ukl/run_settings.hpp"

#include <fmt/format.h>

namespace ukl {

Result<Strace> find_strace(const StraceOptions& options) {
  ElfFiles elf_files;
  const auto program = find_program("strace", search_path(), elf_files);
  if (!program && program.error().failure == Failure::not_found)
    return Error{Failure::missing_tool, "strace is not installed on this machine",
                 "sudo apt-get install strace"};
  if (!program)
    return program.error();
  TRY_LET(const auto libraries, find_libraries(program->path, glibc_folders()));
  Strace strace;
  strace.files.push_back({program->path, "strace"});
  std::string loader;
  for (const auto& library : libraries) {
    const auto name = library.path.filename().string();
    // The loader is asked for by its whole path, the others by what they are called there.
    if (name.starts_with("ld-linux"))
      loader = name;
    strace.files.push_back({library.path, name == loader ? name : library.name});
  }
  auto& words = strace.words;
  if (!loader.empty())
    words = {kStraceFolder + loader, "--library-path", kStraceFolder};
  words.emplace_back(std::string(kStraceFolder) + "strace");
  if (options.follow)
    words.emplace_back("-f");
  if (options.count)
    words.emplace_back("-c");
  if (!options.calls.empty())
    words.push_back(options.calls.find('=') == std::string::npos ? "-etrace=" + options.calls
                                                                 : "-e" + options.calls);
  if (options.to_file)
    words.emplace_back(std::string("-o") + kTraceFile);
  return strace;
}

Result<Manifest> strace_settings(const StraceOptions& options) {
  TRY_LET(const auto strace, find_strace(options));
  Manifest settings;
  for (const auto& file : strace.files) {
    TRY_LET(const auto contents, read_text(file.host));
    settings.emplace_back(key::file, fmt::format("755 {}{}", kStraceFolder, file.guest) + '\0' + contents);
  }
  for (const auto& word : strace.words)
    settings.emplace_back(key::tracer, word);
  settings.emplace_back(key::tracer, "--");
  return settings;
}

} // namespace ukl
