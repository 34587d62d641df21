// SPDX-License-Identifier: GPL-2.0-only
#include "sources/deb.hpp"
#include "contents/package_database.hpp"
#include "kernel/cache.hpp"
#include "sources/apply_layer.hpp"
#include "sources/apt.hpp"
#include "sources/known_packages.hpp"
#include "sources/maintainer_script.hpp"
#include "sources/package_command.hpp"
#include "sources/tree_setup.hpp"
#include "support/file_lock.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iterator>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;

bool is_file(const std::string& name) {
  return name.find('/') != std::string::npos;
}

// As Debian's policy has it, with a version; nothing that apt could take for an option or a pattern.
Result<void> check_name(const std::string& name) {
  const auto version = name.find('=');
  const auto package = name.substr(0, version);
  const bool good =
      package.size() > 1 && std::isalnum(static_cast<unsigned char>(package[0])) &&
      package.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.+-") == std::string::npos &&
      !package.ends_with('+') && !package.ends_with('-');
  const bool good_version =
      version == std::string::npos ||
      (version + 1 < name.size() && name.find_first_of(" '\"\n*?", version) == std::string::npos);
  if (good && good_version)
    return {};
  return Error{Failure::usage, fmt::format("'{}' is no name of a Debian package", name),
               "expected: deb:NAME, deb:NAME=VERSION or deb:./FILE.deb"};
}

Result<std::string> digest_of_file(const fs::path& file) {
  TRY_LET(const auto stream, stream_file(file));
  HashedStream hashed(*stream);
  return hashed.finish();
}

// The packages that were named: files of the user's are read, the others are apt's to find.
struct Asked {
  std::vector<std::string> for_apt; ///< names and paths
  std::vector<PackageArchive> files;
  std::vector<std::string> names; ///< of the packages, in order
};

Result<Asked> read_names(const std::vector<std::string>& names, Source& source, Reporter& reporter) {
  Asked asked;
  for (const auto& name : names) {
    if (!is_file(name)) {
      TRY(check_name(name));
      asked.for_apt.push_back(name);
      asked.names.push_back(name.substr(0, name.find('=')));
      continue;
    }
    std::error_code failure;
    const auto file = fs::canonical(name, failure);
    if (failure)
      return file_error(name, "read", failure.value());
    TRY_LET(const auto digest, digest_of_file(file));
    TRY_LET(auto package, store_package(digest, file, name, reporter));
    asked.for_apt.push_back(file.string());
    asked.names.push_back(package.name);
    asked.files.push_back(std::move(package));
    source.files.push_back(file);
  }
  return asked;
}

// What apt is told that it is there.
std::vector<std::string> left_to_set_up(const std::vector<std::string>& names) {
  std::set<std::string> without;
  for (const auto& package : kSetUpPackages)
    without.emplace(package.name);
  for (const auto& package : kKnownPackages)
    if (is_known_as(package, names[0]))
      without.insert(package.without.begin(), package.without.end());
  for (const auto& name : names)
    without.erase(name);
  return {without.begin(), without.end()};
}

Result<std::vector<PackageArchive>> store_all(const std::vector<AptPackage>& packages, Reporter& reporter) {
  std::vector<AptPackage> missing;
  std::ranges::copy_if(packages, std::back_inserter(missing),
                       [](const auto& one) { return !has_layer(one.sha256); });
  fs::path folder;
  if (!missing.empty()) {
    TRY_LET(folder, download_packages(missing, reporter));
  }
  auto& told = missing.empty() ? silent_reporter() : reporter;
  const auto progress = told.progress(fmt::format("unpacking {} packages", missing.size()), packages.size());
  std::vector<PackageArchive> stored;
  for (const auto& one : packages) {
    TRY_LET(auto package, store_package(one.sha256, folder / one.file, one.name, reporter));
    stored.push_back(std::move(package));
    progress->update(stored.size(), one.name);
  }
  std::error_code ignored;
  if (!folder.empty())
    fs::remove_all(folder, ignored);
  return stored;
}

// Debian 12's root: the old places are links.
Result<void> add_links(RootTree& tree) {
  for (const char* name : {"bin", "sbin", "lib", "lib64"}) {
    TRY(tree.add(std::string("/usr/") + name, folder_entry(0755)));
    auto link = link_entry(std::string("usr/") + name);
    link.settled = true;
    TRY(tree.add(std::string("/") + name, link));
  }
  return {};
}

std::string text_of_machine(const char* file, const char* otherwise) {
  auto text = read_text(file);
  return text ? *text : otherwise;
}

std::vector<std::string> texts_in(const RootTree& tree, const std::string& folder) {
  std::vector<std::string> texts;
  for (const auto& file : view_of_tree(tree)->matching(folder + "/*.conf"))
    texts.push_back(text_in_tree(tree, file).value_or(""));
  return texts;
}

// Users, folders, owners: what installing would have made.
SystemUsers set_up_packages(RootTree& tree, const std::vector<PackageArchive>& packages) {
  SystemUsers users(text_of_machine("/usr/share/base-passwd/passwd.master",
                                    "root:*:0:0:root:/root:/bin/sh\nnobody:*:65534:65534:nobody:/nonexistent:"
                                    "/usr/sbin/nologin\n"),
                    text_of_machine("/usr/share/base-passwd/group.master", "root:*:0:\nnogroup:*:65534:\n"));
  for (const auto& text : texts_in(tree, "/usr/lib/sysusers.d"))
    users.read_sysusers(text);
  for (const auto& package : packages) {
    auto commands = plain_commands(package.before);
    std::ranges::move(plain_commands(package.after), std::back_inserter(commands));
    // Functions stand before the users that they name, and configuration comes in between: so all is done
    // twice, of which the second time changes nothing that is right.
    for (const bool again : {false, true}) {
      for (const auto& command : commands)
        set_up(tree, users, command);
      if (!again)
        set_up_configuration(tree, package.after, package.name);
    }
    for (const auto& known : kKnownSteps)
      for (const auto& command : known.commands)
        if (known.package == package.name)
          set_up(tree, users, command);
  }
  for (const auto& text : texts_in(tree, "/usr/lib/tmpfiles.d"))
    set_up_temporary_files(tree, users, text);
  return users;
}

bool is_code(const std::string& path, const TreeEntry& entry) {
  return entry.type == TreeEntry::Type::file && !entry.host_path.empty() &&
         ((entry.mode & 0111) != 0 || path.find(".so") != std::string::npos);
}

// Whether a file whose own name is another one holds the name.
bool is_named(const RootTree& tree, std::string_view library) {
  for (const auto& [path, entry] : tree.entries()) {
    if (!is_code(path, entry) || path.find(library) != std::string::npos)
      continue;
    const auto file = MappedFile::open(entry.host_path);
    if (file && std::string_view(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size())
                        .find(library) != std::string_view::npos)
      return true;
  }
  return false;
}

void leave_out(RootTree& tree) {
  for (const auto library : kRareLibraries)
    if (const auto files =
            view_of_tree(tree)->matching("/usr/lib/x86_64-linux-gnu/" + std::string(library) + "*");
        !files.empty() && !is_named(tree, library))
      for (const auto& file : files)
        tree.remove(file);
  for (const auto folder : kDocumentation)
    tree.remove(std::string(folder));
  for (const auto& file : view_of_tree(tree)->matching(std::string(kCharacterSets) + "/*.so"))
    if (std::ranges::find(kUsualCharacterSets, file.filename().string()) == std::end(kUsualCharacterSets))
      tree.remove(file);
}

Result<void> add_users(RootTree& tree, const SystemUsers& users) {
  for (const auto& [path, text] :
       {std::pair("/etc/passwd", users.passwd()), std::pair("/etc/group", users.group())}) {
    auto file = text_entry(text);
    file.settled = true;
    TRY(tree.put(path, std::move(file)));
  }
  return {};
}

// What a script of the shell takes for there, as it is on every system of Debian's.
constexpr const char* kShellPackages[] = {"dash", "bash",     "coreutils", "sed",       "grep",
                                          "mawk", "libc-bin", "hostname",  "findutils", "util-linux"};

// Whether what is to be started is a shell that is not there, a script for one, or for env(1), which looks
// for another interpreter.
bool lacks_shell(const Source& source) {
  if (source.entrypoint.empty())
    return false;
  if (!view_of_tree(source.tree)->file(source.entrypoint.front()))
    return true;
  const auto text = text_in_tree(source.tree, source.entrypoint.front()).value_or("");
  const auto line = text.substr(0, text.find('\n'));
  return line.starts_with("#!") &&
         std::ranges::any_of(std::array{"/bin/sh", "/bin/bash", "/usr/bin/env"}, [&](const char* tool) {
           return line.find(tool) != std::string::npos && !view_of_tree(source.tree)->file(tool);
         });
}

// The packages that were asked for, with what they need, as one tree that is set up.
Result<Source> assemble(const Asked& asked, Reporter& reporter) {
  Source source;
  TRY_LET(auto needed, resolve_packages(asked.for_apt, left_to_set_up(asked.names), reporter));
  // The archive may have the same package: the user's file goes before it.
  std::erase_if(needed, [&](const auto& one) {
    return std::ranges::find(asked.files, one.name, &PackageArchive::name) != asked.files.end();
  });
  TRY_LET(auto packages, store_all(needed, reporter));
  packages.insert(packages.end(), asked.files.begin(), asked.files.end());

  TRY(add_links(source.tree));
  std::vector<Layer> layers;
  std::vector<std::string> package_names;
  std::vector<std::shared_ptr<Package>> described;
  const auto system = read_system(*view_of_machine());
  for (const auto& package : packages) {
    package_names.push_back(package.name);
    described.push_back(std::make_shared<Package>(package_of_control(package.control, system)));
    TRY(apply_layer(source.tree, package.layer, LayerKind::package, package.name, described.back()));
    layers.push_back(package.layer);
  }
  // While the documentation is there, to which some packages only have links.
  for (const auto& package : described)
    package->licence = licence_of_package(*view_of_tree(source.tree), package->name);
  auto users = set_up_packages(source.tree, packages);
  choose_package_command(asked.names[0], packages, users, source);
  TRY(add_users(source.tree, users));
  leave_out(source.tree);

  source.name = asked.names[0];
  source.of_this_system = true;
  auto notes = describe_losses(layers);
  source.notes.insert(source.notes.begin(), notes.begin(), notes.end());
  source.notes.insert(
      source.notes.begin(),
      fmt::format(
          "{} packages: {}; left out: documentation, translations, rare character sets, and what only "
          "sets packages up",
          packages.size(), fmt::join(package_names, ", ")));
  return source;
}

} // namespace

Result<Source> open_packages(const std::vector<std::string>& names, Reporter& reporter) {
  Source read;
  TRY_LET(auto asked, read_names(names, read, reporter));
  TRY_LET(const auto lock, FileLock::wait(lock_path("apt"), "Debian packages", reporter));
  TRY_LET(auto source, assemble(asked, reporter));
  if (lacks_shell(source)) {
    asked.names.insert(asked.names.end(), std::begin(kShellPackages), std::end(kShellPackages));
    asked.for_apt.insert(asked.for_apt.end(), std::begin(kShellPackages), std::end(kShellPackages));
    TRY_LET(source, assemble(asked, reporter));
    if (view_of_tree(source.tree)->file(source.entrypoint.front()))
      source.notes.push_back(
          fmt::format("{} needs a shell: it and the usual tools come along", source.entrypoint.front()));
  }
  source.files = read.files;
  return source;
}

} // namespace ukl
