// SPDX-License-Identifier: GPL-2.0-only
#include "machine/strace.hpp"

#include "contents/libraries.hpp"
#include "contents/program.hpp"
#include "support/environment.hpp"
#include "support/files.hpp"
#include "ukl/run_settings.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "/.ukl/strace/";

Result<void> add_file(const fs::path& file, const std::string& name, Manifest& settings) {
  TRY_LET(const auto contents, read_text(file));
  settings.emplace_back(key::file, fmt::format("755 {}{}", kFolder, name) + '\0' + contents);
  return {};
}

} // namespace

Result<Manifest> strace_settings(const StraceOptions& options) {
  ElfFiles elf_files;
  const auto program = find_program("strace", search_path(), elf_files);
  if (!program && program.error().failure == Failure::not_found)
    return Error{Failure::missing_tool, "strace is not installed on this machine",
                 "sudo apt-get install strace"};
  if (!program)
    return program.error();
  const auto& strace = program->path;
  TRY_LET(const auto libraries, find_libraries(strace, glibc_folders()));
  Manifest settings;
  TRY(add_file(strace, "strace", settings));
  std::string loader;
  for (const auto& library : libraries) {
    const auto name = library.path.filename().string();
    // The loader is asked for by its whole path, the others by what they are called there.
    if (name.starts_with("ld-linux"))
      loader = name;
    TRY(add_file(library.path, name == loader ? name : library.name, settings));
  }
  std::vector<std::string> words;
  if (!loader.empty())
    words = {kFolder + loader, "--library-path", kFolder};
  words.emplace_back(std::string(kFolder) + "strace");
  if (options.follow)
    words.emplace_back("-f");
  if (options.count)
    words.emplace_back("-c");
  if (!options.calls.empty())
    words.push_back(options.calls.find('=') == std::string::npos ? "-etrace=" + options.calls
                                                                 : "-e" + options.calls);
  if (options.to_file)
    words.emplace_back(std::string("-o") + kTraceFile);
  words.emplace_back("--");
  for (auto& word : words)
    settings.emplace_back(key::tracer, std::move(word));
  return settings;
}

} // namespace ukl
