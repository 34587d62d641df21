// SPDX-License-Identifier: GPL-2.0-only
// dir:FOLDER, a root as debootstrap and others make it.
#include "contents/package_database.hpp"
#include "sources/source.hpp"
#include "support/interrupt.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <sys/stat.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Links are not followed: they mean files of the folder.
Result<void> add_folder(RootTree& tree, const fs::path& folder, const std::string& path,
                        std::vector<std::string>& left_out) {
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (interrupted())
      return Error{Failure::interrupted, "interrupted while packing; nothing was left behind", ""};
    const auto& file = at->path();
    const auto name = path + "/" + file.filename().string();
    struct stat status = {};
    if (lstat(file.c_str(), &status) != 0)
      return file_error(file, "read", errno);
    TreeEntry entry;
    if (S_ISREG(status.st_mode)) {
      entry = host_entry(file, status.st_mode);
    } else if (S_ISLNK(status.st_mode)) {
      std::error_code failure;
      entry = link_entry(fs::read_symlink(file, failure).string());
      if (failure)
        return file_error(file, "read", failure.value());
    } else if (S_ISDIR(status.st_mode)) {
      entry = folder_entry(status.st_mode & 07777);
    } else {
      left_out.push_back(name);
      continue;
    }
    entry.owner = status.st_uid;
    entry.group = status.st_gid;
    entry.time = status.st_mtim.tv_sec;
    TRY_LET(const bool taken, tree.put(name, std::move(entry)));
    if (taken && S_ISDIR(status.st_mode))
      TRY(add_folder(tree, file, name, left_out));
  }
  if (error)
    return file_error(folder, "read", error.value());
  return {};
}

} // namespace

Result<Source> open_folder(const std::string& text, Reporter&) {
  std::error_code failure;
  const auto folder = fs::canonical(text, failure);
  if (failure)
    return file_error(text, "read", failure.value());
  if (!fs::is_directory(folder, failure))
    return file_error(text, "read", ENOTDIR);
  Source source;
  std::vector<std::string> left_out;
  TRY(add_folder(source.tree, folder, "", left_out));
  set_owners(source.tree);
  if (!left_out.empty())
    source.notes.push_back(fmt::format(
        "left out {}{}: neither file nor folder nor link", left_out[0],
        left_out.size() > 1 ? fmt::format(" (and {} more)", left_out.size() - 1) : std::string()));
  source.folder = folder;
  source.name = folder.filename().empty() ? "root" : folder.filename().string();
  source.no_program = "give it after --, with its arguments";
  return source;
}

} // namespace ukl
