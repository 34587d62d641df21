// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/source.hpp"
#include "kernel/cache.hpp"
#include "support/file_lock.hpp"
#include "support/logged_command.hpp"
#include "support/places.hpp"
#include "support/unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// linux-source-6.1.tar.xz -> 6.1
std::string version_of(const fs::path& archive) {
  const std::string name = archive.filename();
  const auto dash = name.rfind('-');
  const auto start = dash == std::string::npos ? 0 : dash + 1;
  return name.substr(start, name.find(".tar") - start);
}

Result<void> apply_patches(const KernelInputs& inputs, const fs::path& tree, const fs::path& log) {
  for (const auto& patch : inputs.patches) {
    FileDescriptor text(open(patch.c_str(), O_RDONLY | O_CLOEXEC));
    if (!text)
      return file_error(patch, "read", errno);
    ProcessOptions options;
    options.directory = tree;
    options.environment = {"LC_ALL=C"};
    options.standard_input = text.get();
    // No fuzz and no backups: a patch applies exactly or has to be looked at.
    auto status =
        run_logged({"patch", "-p1", "--forward", "--fuzz=0", "--no-backup-if-mismatch"}, options, log);
    if (!status)
      return status.error();
    if (*status != 0)
      return Error{Failure::kernel_build,
                   fmt::format("{} does not apply to {}\n{}", patch.string(),
                               inputs.source.filename().string(), last_lines(log, 6)),
                   fmt::format("adapt the patch to this source; patch's output is in {}", log.string())};
  }
  return {};
}

// Over existing files too: they are hard links into the shared source, so they are replaced, never written
// to.
Result<void> copy_files(const fs::path& files, const fs::path& tree) {
  std::error_code failure;
  if (files.empty() || !fs::exists(files, failure))
    return {};
  for (const auto& entry : fs::recursive_directory_iterator(files, failure)) {
    const fs::path target = tree / entry.path().lexically_relative(files);
    if (entry.is_directory()) {
      fs::create_directories(target, failure);
    } else {
      fs::remove(target, failure);
      fs::copy_file(entry.path(), target, failure);
    }
    if (failure)
      return file_error(target, "write", failure.value());
  }
  return {};
}

Result<void> fill_tree(const KernelInputs& inputs, const fs::path& source, const fs::path& tree,
                       const fs::path& log) {
  std::error_code failure;
  fs::create_directories(tree.parent_path(), failure);
  fs::copy(source, tree,
           fs::copy_options::recursive | fs::copy_options::copy_symlinks |
               fs::copy_options::create_hard_links,
           failure);
  if (failure)
    return file_error(tree, "write", failure.value());
  TRY(apply_patches(inputs, tree, log));
  return copy_files(inputs.files, tree);
}

} // namespace

Result<fs::path> unpacked_source(const KernelInputs& inputs, Reporter& reporter) {
  if (inputs.source.empty())
    return find_linux_source(parse_profile(inputs.profile).release).error();
  const std::string name = version_of(inputs.source) + "-" + inputs.source_hash.substr(0, 12);
  const fs::path folder = cache_folder() / "source" / name;
  TRY_LET(auto lock, FileLock::wait(lock_path(name), "unpacking Linux's source", reporter));
  std::error_code failure;
  if (fs::exists(folder, failure))
    return folder;
  const fs::path unfinished = folder.string() + ".new";
  fs::remove_all(unfinished, failure);
  if (auto unpacked =
          unpack_archive(inputs.source, unfinished, "unpacking Linux " + version_of(inputs.source), reporter);
      !unpacked)
    return unpacked.error();
  fs::rename(unfinished, folder, failure);
  if (failure)
    return file_error(folder, "write", failure.value());
  return folder;
}

Result<void> make_source_tree(const KernelInputs& inputs, const fs::path& tree, const fs::path& log,
                              Reporter& reporter) {
  TRY_LET(auto source, unpacked_source(inputs, reporter));
  const fs::path unfinished = tree.string() + ".new";
  std::error_code failure;
  fs::remove_all(unfinished, failure);
  auto filled = fill_tree(inputs, source, unfinished, log);
  if (filled)
    fs::rename(unfinished, tree, failure);
  else
    fs::remove_all(unfinished, failure);
  if (filled && failure)
    return file_error(tree, "write", failure.value());
  return filled;
}

} // namespace ukl
