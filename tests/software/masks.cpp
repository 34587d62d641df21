// SPDX-License-Identifier: GPL-2.0-only
// Prints which system calls images of many programs would answer, without making the images: the same files,
// analysed by the same code. tests/software/masks calls it.
#include "calls/chosen_calls.hpp"
#include "contents/libraries.hpp"
#include "elf/file.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Each file is analysed once, however many programs need it.
class Analysis {
public:
  explicit Analysis(fs::path root) : root_(std::move(root)) {
    folders_ = glibc_folders();
    for (const char* folder : {"usr/lib/x86_64-linux-gnu", "usr/lib", "usr/lib/jvm/default/lib"})
      folders_.configured.insert(folders_.configured.begin(), root_ / folder);
  }

  // `parts`: the program, and files and folders that it loads at run time, all below the root.
  std::vector<FileCalls> files_of(const std::vector<std::string>& parts) {
    complete = true;
    script.reset();
    std::vector<FileCalls> files;
    std::vector<fs::path> have;
    for (const auto& part : parts) {
      const bool program = &part == &parts.front();
      std::error_code ignored;
      const auto path = root_ / part;
      if (!fs::exists(path, ignored))
        fmt::print(stderr, "{} is not there\n", path.string());
      if (!fs::is_directory(path, ignored)) {
        complete &= add(path, have, files) || !program;
        continue;
      }
      for (fs::recursive_directory_iterator entry(path, ignored), end; entry != end; entry.increment(ignored))
        if (entry->is_regular_file(ignored))
          add(entry->path(), have, files);
    }
    return files;
  }

  bool complete = true;              ///< the program and its libraries were there last time
  std::optional<std::string> script; ///< that names syscall(2), last time

private:
  // False if a library is missing.
  bool add(const fs::path& path, std::vector<fs::path>& have, std::vector<FileCalls>& files) {
    add_one(path, have, files);
    auto elf = read_elf(path);
    if (!elf)
      return true;
    auto folders = folders_;
    for (const auto* list : {&elf->rpath, &elf->runpath})
      for (const auto& folder : *list)
        if (folder.starts_with('/'))
          folders.configured.insert(folders.configured.begin(), root_ / folder.substr(1));
    auto libraries = find_libraries(path, folders);
    if (!libraries) {
      fmt::print(stderr, "{}\n", libraries.error().message);
      return false;
    }
    for (const auto& library : *libraries)
      add_one(library.path, have, files);
    return true;
  }

  void add_one(const fs::path& path, std::vector<fs::path>& have, std::vector<FileCalls>& files) {
    std::error_code ignored;
    const auto real = fs::weakly_canonical(path, ignored);
    if (std::find(have.begin(), have.end(), real) != have.end())
      return;
    have.push_back(real);
    auto known = known_.find(real);
    if (known == known_.end()) {
      std::optional<FileCalls> calls;
      auto bytes = read_file(real);
      if (bytes && !begins_as_elf(*bytes) && names_syscall(*bytes))
        scripts_.push_back(real);
      if (bytes && begins_as_elf(*bytes))
        if (auto found = find_file_calls(*bytes, path.lexically_relative(root_).string()))
          calls = std::move(*found);
      known = known_.emplace(real, std::move(calls)).first;
    }
    if (known->second)
      files.push_back(*known->second);
    else if (std::find(scripts_.begin(), scripts_.end(), real) != scripts_.end())
      script = path.lexically_relative(root_).string();
  }

  fs::path root_;
  SearchFolders folders_;
  std::map<fs::path, std::optional<FileCalls>> known_;
  std::vector<fs::path> scripts_; ///< that name syscall(2)
};

int run(const fs::path& root, const fs::path& list) {
  Analysis analysis(root);
  std::ifstream lines(list);
  unsigned programs = 0, masked_programs = 0;
  fmt::print("| program | masked | calls answered | files | doubts |\n|---|---|---:|---:|---|\n");
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::vector<std::string> parts;
    if (!(words >> name) || name.starts_with('#'))
      continue;
    for (std::string part; words >> part;)
      parts.push_back(part);
    const auto files = analysis.files_of(parts);
    const auto masked = choose_calls(files, {}, [&] { return analysis.script; });
    std::string doubts;
    for (const auto& doubt : masked.doubts)
      doubts += (doubts.empty() ? "" : "; ") + doubt;
    if (!analysis.complete)
      doubts += "(libraries are missing)";
    ++programs;
    masked_programs += masked.doubts.empty();
    fmt::print("| {} | {} | {} | {} | {} |\n", name, masked.doubts.empty() ? "yes" : "no", masked.answered,
               files.size(), doubts);
    std::fflush(stdout);
  }
  fmt::print("\n{} of {} programs are masked.\n", masked_programs, programs);
  return 0;
}

} // namespace
} // namespace ukl

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: {} ROOT LIST\n", arguments[0]);
    return 1;
  }
  return ukl::run(arguments[1], arguments[2]);
}
