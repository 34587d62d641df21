// SPDX-License-Identifier: GPL-2.0-only
#include "contents/libraries.hpp"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <set>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepestInclude = 8;

void read_configuration(const FileView& view, const fs::path& file, int depth,
                        std::vector<fs::path>& folders) {
  const auto text = view.text(file);
  if (!text || depth > kDeepestInclude)
    return;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string word, pattern;
    if (!(words >> word))
      continue;
    if (word != "include") {
      if (word.size() > 1 && word.ends_with('/'))
        word.pop_back();
      folders.emplace_back(word);
      continue;
    }
    while (words >> pattern)
      for (const auto& included : view.matching(file.parent_path() / pattern))
        read_configuration(view, included, depth + 1, folders);
  }
}

SearchFolders musl_folders(std::shared_ptr<const FileView> view) {
  SearchFolders folders{{}, {"/lib", "/usr/local/lib", "/usr/lib"}, std::move(view)};
  if (auto text = folders.view->text("/etc/ld-musl-x86_64.path")) {
    std::ranges::replace(*text, ':', '\n');
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);)
      if (!line.empty())
        folders.configured.emplace_back(line);
  }
  return folders;
}

// musl holds these itself, whatever file has their name (its ldso/dynlink.c, load_library).
bool is_part_of_musl(const std::string& name) {
  for (const char* part : {"libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."})
    if (name.starts_with(part))
      return true;
  return false;
}

std::string replace_all(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

// A folder of RPATH or RUNPATH with the loader's variables put in (ld.so(8), "Dynamic string tokens").
fs::path expand(std::string folder, const fs::path& origin) {
  const std::pair<const char*, std::string> variables[] = {
      {"ORIGIN", origin.string()}, {"LIB", "lib/x86_64-linux-gnu"}, {"PLATFORM", "x86_64"}};
  for (const auto& [name, value] : variables) {
    folder = replace_all(folder, fmt::format("${{{}}}", name), value);
    folder = replace_all(folder, fmt::format("${}", name), value);
  }
  return folder;
}

// One file of the closure.
struct Loaded {
  fs::path path;
  fs::path origin; // its folder, as $ORIGIN
  ElfFile elf;
  int loader; // who asked for it: an index, -1: nobody
};

class Closure {
public:
  Closure(ElfFiles& elf_files, const SearchFolders& folders, std::vector<MissingLibrary>& missing)
      : elf_files_(elf_files), folders_(folders), missing_(missing) {}

  Result<std::vector<Library>> find(const fs::path& path) {
    const auto file = folders_.view->file(path);
    TRY_LET(auto elf, elf_files_.loading(file.value_or(path)));
    // The loader learns the program's place from /proc/self/exe, where links are resolved.
    const auto real = (file ? folders_.view : view_of_machine())->real(path);
    loaded_.push_back({path, real.parent_path(), std::move(elf), -1});
    const auto& interpreter = loaded_[0].elf.interpreter;
    const auto interpreter_name = fs::path(interpreter).filename().string();
    if (!interpreter.empty())
      if (auto added = add({interpreter_name, interpreter, loaded_[0].path.string()}, 0); !added)
        return added.error();
    musl_ = interpreter_name.starts_with("ld-musl-");
    if (musl_)
      folders_ = musl_folders(folders_.view);
    for (std::size_t i = 0; i < loaded_.size(); ++i)
      // A copy, because the list grows.
      for (const auto& name : std::vector(loaded_[i].elf.needed))
        TRY(need(name, static_cast<int>(i), true));
    if (names_.contains("libc.so.6"))
      TRY(need("libgcc_s.so.1", 0, false));
    return libraries_;
  }

private:
  Result<void> need(const std::string& name, int loader, bool required) {
    if (names_.contains(name) || (musl_ && is_part_of_musl(name)))
      return {};
    auto library = search(name, loader);
    if (library)
      return add(std::move(*library), loader);
    if (!required)
      return {};
    names_.insert(name);
    missing_.push_back({name, loaded_[static_cast<std::size_t>(loader)].path.string()});
    return {};
  }

  Result<void> add(Library library, int loader) {
    auto elf = elf_files_.loading(folders_.view->file(library.path).value_or(fs::path()));
    if (!elf && elf.error().failure == Failure::not_found)
      return Error{Failure::missing_library,
                   fmt::format("{} is missing; {} needs it as its dynamic loader", library.path.string(),
                               library.needed_by),
                   "install the C library that the program was linked with (libc6, or musl)"};
    if (!elf)
      return elf.error();
    names_.insert(library.name);
    if (!elf->soname.empty())
      names_.insert(elf->soname);
    loaded_.push_back({library.path, library.path.parent_path(), std::move(*elf), loader});
    libraries_.push_back(std::move(library));
    return {};
  }

  // Folders in the order of ld.so(8): RPATH of who asks and of who loaded that (unless it has a RUNPATH),
  // RUNPATH of who asks, then the configured and the built-in ones.
  std::optional<Library> search(const std::string& name, int loader) {
    const auto& asking = loaded_[static_cast<std::size_t>(loader)];
    const auto try_file = [&](const fs::path& file, bool only_by_configuration) -> std::optional<Library> {
      // The loader steps over files for other machines.
      const auto holder = folders_.view->file(file);
      if (!holder || !elf_files_.loading(*holder))
        return std::nullopt;
      return Library{name, file, asking.path.string(), only_by_configuration};
    };
    if (name.find('/') != std::string::npos)
      return try_file(fs::absolute(name), false);

    std::vector<fs::path> folders;
    for (int at = loader; asking.elf.runpath.empty() && at >= 0;
         at = loaded_[static_cast<std::size_t>(at)].loader) {
      const auto& one = loaded_[static_cast<std::size_t>(at)];
      if (!one.elf.runpath.empty())
        continue;
      for (const auto& folder : one.elf.rpath)
        folders.push_back(expand(folder, one.origin));
    }
    for (const auto& folder : asking.elf.runpath)
      folders.push_back(expand(folder, asking.origin));
    for (const auto& folder : folders)
      if (auto found = try_file(folder / name, false))
        return found;
    for (const auto& folder : folders_.configured) {
      const bool also_built_in = std::ranges::find(folders_.built_in, folder) != folders_.built_in.end();
      if (auto found = try_file(folder / name, !also_built_in))
        return found;
    }
    for (const auto& folder : folders_.built_in)
      if (auto found = try_file(folder / name, false))
        return found;
    return std::nullopt;
  }

  ElfFiles& elf_files_;
  SearchFolders folders_;
  std::vector<MissingLibrary>& missing_;
  bool musl_ = false;
  std::deque<Loaded> loaded_;
  std::set<std::string> names_;
  std::vector<Library> libraries_;
};

} // namespace

SearchFolders glibc_folders(const fs::path& configuration, std::shared_ptr<const FileView> view) {
  SearchFolders folders;
  folders.view = std::move(view);
  read_configuration(*folders.view, configuration, 0, folders.configured);
  folders.built_in = {
      "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"};
  return folders;
}

Error missing_library(const MissingLibrary& library) {
  return {Failure::missing_library,
          fmt::format("the library {} is nowhere to be found; {} needs it", library.name, library.needed_by),
          fmt::format("try: apt-get install {}   (or find its package with: apt-file search {})",
                      likely_package(library.name), library.name)};
}

Result<std::vector<Library>> find_libraries(const fs::path& path, ElfFiles& elf_files,
                                            const SearchFolders& folders,
                                            std::vector<MissingLibrary>& missing) {
  return Closure(elf_files, folders, missing).find(path);
}

Result<std::vector<Library>> find_libraries(const fs::path& path, const SearchFolders& folders) {
  std::vector<MissingLibrary> missing;
  ElfFiles elf_files;
  auto found = find_libraries(path, elf_files, folders, missing);
  if (found && !missing.empty())
    return missing_library(missing[0]);
  return found;
}

std::string likely_package(const std::string& library) {
  const auto dot = library.find(".so");
  if (dot == std::string::npos)
    return library;
  auto name = library.substr(0, dot);
  auto version = library.substr(std::min(library.size(), dot + 4));
  if (!version.empty() && !name.empty() && std::isdigit(static_cast<unsigned char>(name.back())))
    name += '-';
  name += version;
  std::ranges::replace(name, '_', '-');
  std::ranges::transform(name, name.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

} // namespace ukl
