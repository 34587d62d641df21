// SPDX-License-Identifier: GPL-2.0-only
#include "image/gather.hpp"
#include "contents/environment_files.hpp"
#include "contents/libraries.hpp"
#include "contents/network_files.hpp"
#include "contents/root_defaults.hpp"
#include "image/mode.hpp"
#include "image/tree_checks.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <set>
#include <unistd.h>
#include <utility>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Where Debian's loader looks without a configuration: an image has no ld.so.cache.
constexpr const char* kLibraryFolder = "/usr/lib/x86_64-linux-gnu/";
constexpr const char* kProgramFolders[] = {"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/",
                                           "/usr/bin/",        "/sbin/",          "/bin/"};

// Where libraries are looked for. The user's folders are none that the loader in the image knows, which is as
// with those that only /etc/ld.so.conf names.
SearchFolders search_folders(const PackRequest& request, std::shared_ptr<const FileView> view) {
  auto folders = glibc_folders("/etc/ld.so.conf", std::move(view));
  std::vector<fs::path> own;
  for (const auto& folder : request.library_folders)
    own.push_back(fs::absolute(folder));
  folders.configured.insert(folders.configured.begin(), own.begin(), own.end());
  return folders;
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  std::error_code ignored;
  const auto relative =
      fs::weakly_canonical(path, ignored).lexically_relative(fs::weakly_canonical(folder, ignored));
  return !relative.empty() && *relative.begin() != "..";
}

std::string and_more(std::size_t count) {
  return count > 1 ? fmt::format(" (and {} more)", count - 1) : std::string();
}

// What the first line of a file names, if it is a script.
std::vector<std::string> script_interpreters_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  Bytes head(256);
  file.read(reinterpret_cast<char*>(head.data()), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  return script_interpreters(head);
}

using Programs = std::vector<std::pair<fs::path, ElfFile>>;

// The added files by the names under which they may be loaded.
std::map<std::string, fs::path> libraries_by_name(const Programs& files) {
  std::map<std::string, fs::path> names;
  for (const auto& [path, elf] : files) {
    names.emplace(path.filename().string(), path);
    if (!elf.soname.empty())
      names.emplace(elf.soname, path);
  }
  return names;
}

class Gatherer {
public:
  Gatherer(const SourcedRequest& sourced, ElfFiles& elf_files)
      : sourced_(sourced), request_(sourced.request), elf_files_(elf_files) {
    if (const auto& source = sourced.source) {
      all_.tree = source->tree;
      all_.notes = source->notes;
    }
    folders_ = search_folders(request_, view());
  }

  // The program and its libraries bring this machine's links (/lib -> usr/lib); what is added later follows
  // them.
  Result<void> add_program(const Program& program) {
    if (sourced_.program_in_source)
      return look_at_program(program);
    if (!program.script)
      return add_executable(program.path, request_.guest_path, missing_);
    for (const auto& interpreter : program.interpreters)
      TRY(add_executable(interpreter, "", missing_));
    return add_file(program.path, request_.guest_path);
  }

  Result<void> add_files() {
    TRY(copy_files(copied_));
    TRY(follow_links(copied_));
    for (const auto& skipped : copied_.skipped)
      all_.skipped.push_back(skipped.string());
    return {};
  }

  // Added files may be programs that it starts or plug-ins that it loads: what they need goes in too, as far
  // as it is there, and except for what was added with them.
  Result<void> add_needs_of_files() {
    TRY(look_at_scripts(copied_.files));
    Programs programs;
    for (const auto& path : copied_.files)
      if (auto elf = elf_files_.find(path); elf && elf->loading)
        programs.emplace_back(path, *elf->loading);
    // A library that was added is found by the path that its user knows (RUNPATH, LD_LIBRARY_PATH, dlopen),
    // or was loaded before it is asked for, as Java's virtual machine is.
    const auto added_libraries = libraries_by_name(programs);
    TRY(link_missing_libraries(added_libraries));
    TRY(add_libraries_of(programs));
    report_missing(added_libraries);
    return {};
  }

  Result<void> add_environment() {
    TRY_LET(const auto absent, add_environment_files(all_.tree, request_.settings.environment));
    all_.missing.insert(all_.missing.end(), absent.begin(), absent.end());
    if (!is_of_this_system())
      return {};
    if (request_.settings.addresses != std::vector<std::string>{"none"})
      TRY(add_network_files(all_.tree));
    return add_standard_locale(all_.tree);
  }

  // The mark that all was unpacked comes with it.
  Result<void> add_init() {
    const auto& init = request_.places.installation.init;
    std::error_code ignored;
    if (!fs::exists(init, ignored))
      return Error{Failure::not_found, fmt::format("ukl's own init is missing ({})", init.string()),
                   "run `make` again, or set UKL_HOME to the folder where ukl is installed"};
    auto file = host_entry(init, 0755);
    file.owner = file.group = 0;
    TRY(all_.tree.add(kInitPath, std::move(file)));
    return all_.tree.add(kCompletePath, text_entry(kCompleteText, 0600));
  }

  // Whether files of this machine may stand in for what is not there.
  bool is_of_this_system() const { return !sourced_.program_in_source || sourced_.source->of_this_system; }

  RootTree& tree() { return all_.tree; }
  Gathered take(unsigned mode) {
    all_.mode = mode;
    return std::move(all_);
  }

private:
  // Where libraries are: a source has its own, and beside a program of this machine only what this lacks.
  std::shared_ptr<const FileView> view() const {
    if (!sourced_.source)
      return view_of_machine();
    auto tree = view_of_tree(all_.tree);
    return sourced_.program_in_source ? tree : view_of_both(tree, view_of_machine());
  }

  // A program that is there with all its source has, or was added to that: its libraries have to be there
  // too.
  Result<void> look_at_program(const Program& program) {
    TRY(let_execute(program));
    std::vector<fs::path> files = program.interpreters;
    if (!program.script)
      files.push_back(program.path);
    for (const auto& file : files) {
      TRY_LET(const auto libraries, find_libraries(file, elf_files_, folders_, missing_));
      TRY(add_libraries(libraries));
    }
    return {};
  }

  // An added file that is to be started may be executed, whatever its mode is here.
  Result<void> let_execute(const Program& program) {
    const auto* there = all_.tree.find(program.path.string());
    if (!there || std::ranges::find(copied_.files, program.file) == copied_.files.end())
      return {};
    auto entry = *there;
    entry.mode |= 0111;
    return all_.tree.add(all_.tree.real_path(program.path.string()), std::move(entry));
  }

  Result<void> add_libraries(const std::vector<Library>& libraries) {
    for (const auto& library : libraries) {
      if (!sourced_.source || !all_.tree.find(library.path))
        TRY(all_.tree.add_same_path(library.path));
      // A source that was set up by its package manager has the loader's list of them.
      if (library.only_by_configuration && !all_.tree.find("/etc/ld.so.cache"))
        TRY(all_.tree.add(kLibraryFolder + library.name, link_entry(library.path.string())));
      if (std::ranges::find(all_.libraries, library.path.string()) == all_.libraries.end())
        all_.libraries.push_back(library.path.string());
    }
    return {};
  }

  Result<void> add_file(const fs::path& path, const std::string& guest_path) {
    if (guest_path.empty())
      return all_.tree.add_same_path(path, 0111);
    return all_.tree.add(guest_path, host_entry(path, 0755));
  }

  // An executable file with all that it loads.
  Result<void> add_executable(const fs::path& path, const std::string& guest_path,
                              std::vector<MissingLibrary>& missing) {
    TRY(elf_files_.loading(path));
    TRY(add_file(path, guest_path));
    TRY_LET(const auto libraries, find_libraries(path, elf_files_, folders_, missing));
    return add_libraries(libraries);
  }

  Result<void> copy_files(CopiedFiles& copied) {
    for (const auto& file : request_.files) {
      // A file that keeps its path brings this machine's links on the way there (/lib -> usr/lib): libraries,
      // which come later, lie behind them too.
      std::error_code ignored;
      if (!sourced_.program_in_source && fs::is_regular_file(file.host, ignored) &&
          fs::absolute(file.host, ignored) == file.guest) {
        TRY(all_.tree.add_same_path(file.host));
        copied.files.push_back(file.host);
      } else {
        TRY(all_.tree.add_copy(file.host, file.guest, copied));
      }
    }
    return {};
  }

  // Links that lead out of what was added are no use without what they lead to.
  Result<void> follow_links(CopiedFiles& copied) {
    TRY(all_.tree.follow_links(copied));
    if (!copied.followed.empty())
      all_.notes.push_back(fmt::format("added what {} leads to{}, because it is not in what was added",
                                       copied.followed[0].guest, and_more(copied.followed.size())));
    if (!copied.circular.empty())
      all_.notes.push_back(fmt::format("{} leads to a folder that holds it, which was not added{}",
                                       copied.circular[0].guest, and_more(copied.circular.size())));
    return {};
  }

  // A name alone is looked up in the PATH that init gives the program.
  bool is_in_image(const std::string& program) const {
    if (program.starts_with('/'))
      return all_.tree.find(program) != nullptr;
    return std::ranges::any_of(kProgramFolders,
                               [&](const char* folder) { return all_.tree.find(folder + program); });
  }

  // Scripts among the added files, which other programs may start. `env`, which finds the interpreters of
  // many, is small (48 KiB) and comes along; the interpreters themselves may be large, and a shell in an
  // image is a choice, so what is missing is named.
  Result<void> look_at_scripts(const std::vector<fs::path>& files) {
    std::map<std::string, std::pair<fs::path, std::size_t>> absent;
    for (const auto& path : files) {
      if (access(path.c_str(), X_OK) != 0)
        continue;
      for (const auto& interpreter : script_interpreters_of(path)) {
        if (is_in_image(interpreter))
          continue;
        std::error_code ignored;
        if (!sourced_.program_in_source && fs::path(interpreter).filename() == "env" &&
            fs::exists(interpreter, ignored)) {
          std::vector<MissingLibrary> none;
          if (elf_files_.loading(interpreter))
            TRY(add_executable(interpreter, "", none));
          continue;
        }
        auto& [first, count] = absent[interpreter];
        if (count++ == 0)
          first = path;
      }
    }
    for (const auto& [interpreter, users] : absent)
      all_.notes.push_back(fmt::format("the interpreter {} is not in the image; {} names it{}", interpreter,
                                       users.first.string(), and_more(users.second)));
    return {};
  }

  // What the program itself needs has to be found before anything else runs: an added library is made known
  // by its name where every loader looks.
  Result<void> link_missing_libraries(const std::map<std::string, fs::path>& added) {
    for (const auto& library : std::exchange(missing_, {})) {
      const auto found = added.find(library.name);
      if (found == added.end())
        return missing(library);
      const auto there = std::ranges::find_if(
          all_.tree.entries(), [&](const auto& entry) { return entry.second.host_path == found->second; });
      const auto link = kLibraryFolder + library.name;
      if (there != all_.tree.entries().end() && !all_.tree.find(link))
        TRY(all_.tree.add(link, link_entry(there->first)));
    }
    return {};
  }

  Result<void> add_libraries_of(const Programs& programs) {
    for (const auto& [path, elf] : programs) {
      auto libraries = find_libraries(path, elf_files_, folders_, missing_);
      if (!libraries) {
        all_.missing.push_back(libraries.error().message);
        continue;
      }
      std::erase_if(*libraries, [&](const Library& library) {
        return std::ranges::any_of(request_.files,
                                   [&](const auto& file) { return lies_in(library.path, file.host); });
      });
      TRY(add_libraries(*libraries));
    }
    return {};
  }

  Error missing(const MissingLibrary& library) const {
    auto error = missing_library(library);
    if (sourced_.program_in_source)
      error.hint = "its source lacks it: add it with --file, or with --with and a source that has it";
    return error;
  }

  void report_missing(const std::map<std::string, fs::path>& added) {
    std::erase_if(missing_, [&](const MissingLibrary& library) { return added.contains(library.name); });
    std::map<std::string, std::size_t> counts;
    for (const auto& library : missing_)
      ++counts[library.name];
    for (const auto& library : missing_)
      if (const auto count = std::exchange(counts[library.name], 0); count > 0)
        all_.missing.push_back(missing_library(library).message + and_more(count));
  }

  const SourcedRequest& sourced_;
  const PackRequest& request_;
  ElfFiles& elf_files_;
  SearchFolders folders_;
  std::vector<MissingLibrary> missing_; ///< libraries that nobody has found yet
  CopiedFiles copied_;                  ///< what --file added
  Gathered all_;
};

} // namespace

Result<AddedFile> parse_added_file(const std::string& text) {
  const auto divider = text.rfind(":/");
  if (divider != std::string::npos && divider > 0)
    return AddedFile{text.substr(0, divider), text.substr(divider + 1)};
  if (text.starts_with('/'))
    return AddedFile{text, text};
  return Error{Failure::usage, fmt::format("--file {} is not understood", text),
               "expected: HOST:GUEST with an absolute path in the image, like ./site:/srv/www"};
}

Result<Gathered> gather(const SourcedRequest& sourced, const Program& program,
                        const CheckedSettings& settings, const fs::path& output, ElfFiles& elf_files) {
  Gatherer all(sourced, elf_files);
  // A program of this machine brings links that files have to follow; one of a source may be an added file.
  if (!sourced.program_in_source)
    TRY(all.add_program(program));
  TRY(add_default_links(all.tree()));
  TRY(all.add_files());
  if (sourced.program_in_source)
    TRY(all.add_program(program));
  TRY(all.add_needs_of_files());
  TRY(all.add_environment());
  if (const auto packer = geteuid(); packer != 0) {
    const auto [user, group] = program_user(settings.manifest);
    all.tree().replace_owner(packer, getegid(), user, group);
  }
  TRY(add_defaults(all.tree(), settings.passwd_line, all.is_of_this_system()));
  TRY(check_tree(all.tree(), output, sourced.request.compress));
  const auto mode = image_mode(all.tree(), user_files(sourced), output);
  TRY(all.add_init());
  return all.take(mode);
}

} // namespace ukl
