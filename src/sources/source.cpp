// SPDX-License-Identifier: GPL-2.0-only
#include "sources/source.hpp"
#include "sources/deb.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

Result<Source> open_docker_daemon(const std::string& text, Reporter& reporter) {
  return open_through_skopeo("docker-daemon", text, reporter);
}

Result<Source> open_containers_storage(const std::string& text, Reporter& reporter) {
  return open_through_skopeo("containers-storage", text, reporter);
}

Result<Source> open_package(const std::string& text, Reporter& reporter) {
  return open_packages({text}, reporter);
}

struct Scheme {
  std::string_view name;
  Result<Source> (*open)(const std::string& text, Reporter& reporter);
};

constexpr std::string_view kPackage = "deb:";

constexpr Scheme kSchemes[] = {
    {kPackage, open_package},
    {"oci:", open_oci},
    {"oci-archive:", open_oci_archive},
    {"docker-archive:", open_docker_archive},
    {"docker-daemon:", open_docker_daemon},
    {"containers-storage:", open_containers_storage},
    {"dir:", open_folder},
};

const Scheme* scheme_of(const std::string& text) {
  const auto found =
      std::ranges::find_if(kSchemes, [&](const auto& scheme) { return text.starts_with(scheme.name); });
  return found == std::end(kSchemes) ? nullptr : &*found;
}

// The files of `more` over those of `all`. A folder with all it holds gives way to no link (one root has
// /lib, the other /lib -> usr/lib), and users that the tool made up give way to those of an image.
Result<void> join(Source& all, const Source& more) {
  for (const auto& [path, entry] : more.tree.entries()) {
    const auto* there = all.tree.find_name(path);
    const bool a_folder = there && there->type == TreeEntry::Type::folder;
    const bool stays = (a_folder && (entry.implied || entry.type == TreeEntry::Type::link)) ||
                       (there && more.of_this_system && (path == "/etc/passwd" || path == "/etc/group"));
    if (!stays)
      TRY(all.tree.put(path, entry, true));
  }
  all.notes.insert(all.notes.end(), more.notes.begin(), more.notes.end());
  all.files.insert(all.files.end(), more.files.begin(), more.files.end());
  return {};
}

} // namespace

bool names_source(const std::string& text) {
  return scheme_of(text) != nullptr;
}

Result<Source> open_sources(const std::vector<std::string>& names, Reporter& reporter) {
  if (names.empty())
    return Source();
  // Packages are found together, so that what they share is one.
  std::vector<std::string> packages;
  for (const auto& name : names)
    if (name.starts_with(kPackage))
      packages.push_back(name.substr(kPackage.size()));
  bool packages_opened = false;
  std::optional<Source> all;
  for (const auto& name : names) {
    const bool package = name.starts_with(kPackage);
    if (package && std::exchange(packages_opened, true))
      continue;
    const auto* scheme = scheme_of(name);
    if (!scheme)
      return Error{Failure::usage, fmt::format("{} is no source of files", name),
                   "expected: one of the schemes that ukl pack --help lists, like oci:./layout"};
    TRY_LET(auto one, package ? open_packages(packages, reporter)
                              : scheme->open(name.substr(scheme->name.size()), reporter));
    if (!all)
      all = std::move(one);
    else
      TRY(join(*all, one));
  }
  return std::move(*all);
}

} // namespace ukl
