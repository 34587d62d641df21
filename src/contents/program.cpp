// SPDX-License-Identifier: GPL-2.0-only
#include "contents/program.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <sstream>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Linux reads no more than this of a script's first line (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h).
constexpr std::size_t kLongestLine = 256;

Result<fs::path> look_up(const std::string& name, const std::string& search_path, const FileView& view) {
  std::error_code ignored;
  if (name.find('/') != std::string::npos) {
    const auto path = fs::absolute(name, ignored).lexically_normal();
    // A folder of this machine gets an error of its own when it is read.
    const bool here = &view == view_of_machine().get() && fs::exists(name, ignored);
    if (!here && !view.file(path))
      return file_error(name, "read", ENOENT);
    return path;
  }
  std::istringstream folders(search_path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const auto file = fs::absolute(fs::path(folder) / name, ignored);
    if (view.is_executable(file))
      return file.lexically_normal();
  }
  const bool here = &view == view_of_machine().get() && fs::exists(name, ignored);
  return Error{Failure::not_found, fmt::format("there is no program {} in PATH", name),
               here ? fmt::format("to take the file in this folder, write ./{}", name)
                    : "check the name, or give a path"};
}

// An error that names a file as the user knows it.
Error named(Error error, const fs::path& holder, const fs::path& path) {
  if (const auto at = error.message.find(holder.string()); holder != path && at != std::string::npos)
    error.message.replace(at, holder.string().size(), path.string());
  return error;
}

} // namespace

std::vector<std::string> script_interpreters(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2 || bytes[0] != '#' || bytes[1] != '!')
    return {};
  const auto start = bytes.subspan(2, std::min(bytes.size(), kLongestLine) - 2);
  std::istringstream words(std::string(start.begin(), std::ranges::find(start, '\n')));
  std::vector<std::string> found;
  std::string word;
  if (!(words >> word))
    return {};
  found.push_back(word);
  if (fs::path(word).filename() != "env")
    return found;
  // env's own options and variables stand before the name of what it starts.
  while (words >> word)
    if (!word.starts_with('-') && word.find('=') == std::string::npos) {
      found.push_back(word);
      break;
    }
  return found;
}

Result<Program> find_program(const std::string& name, const std::string& search_path, ElfFiles& elf_files,
                             const FileView& view) {
  TRY_LET(auto path, look_up(name, search_path, view));
  const auto holder = view.file(path).value_or(path);
  TRY_LET(auto file, MappedFile::open(holder));
  const auto bytes = file.bytes();
  Program program;
  program.path = path;
  program.file = holder;
  for (const auto& interpreter : script_interpreters(bytes)) {
    auto found = look_up(interpreter, search_path, view);
    if (!found)
      return Error{found.error().failure,
                   fmt::format("{} needs the interpreter {}, which is not there", path.string(), interpreter),
                   "install it, or correct the script's first line"};
    program.interpreters.push_back(*found);
  }
  program.script = !program.interpreters.empty();
  if (program.script)
    return program;

  auto loaded = elf_files.loading(holder);
  if (!loaded)
    return named(loaded.error(), holder, path);
  const auto& elf = *loaded;
  if (elf.kind == ElfFile::Kind::shared && elf.interpreter.empty() && elf.entry == 0)
    return Error{Failure::not_elf, fmt::format("{} is a shared library, not a program", path.string()),
                 "give the program that uses it; libraries are added by themselves"};
  return program;
}

} // namespace ukl
