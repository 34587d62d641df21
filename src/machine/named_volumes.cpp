// SPDX-License-Identifier: GPL-2.0-only
#include "machine/named_volumes.hpp"
#include "machine/host_tools.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLetsGo{1000}, kLook{20};

constexpr const char* kInstall = "apt-get install e2fsprogs";
constexpr const char* kEnding = ".ext4";
constexpr std::uint64_t kLeast = 2 << 20; // mke2fs makes none that is smaller

fs::path file_of(const fs::path& folder, const std::string& name) {
  return folder / (name + kEnding);
}

Result<fs::path> existing(const fs::path& folder, const std::string& name) {
  std::error_code ignored;
  if (is_plain_name(name) && fs::is_regular_file(file_of(folder, name), ignored))
    return file_of(folder, name);
  std::string others;
  for (const auto& volume : named_volumes(folder))
    others += (others.empty() ? "" : ", ") + volume.name;
  return Error{Failure::not_found, fmt::format("there is no volume {}", name),
               others.empty() ? "make one: ukl volume create " + name : "there are: " + others};
}

Result<fs::path> new_file(const fs::path& folder, const std::string& name) {
  if (!is_plain_name(name))
    return Error{Failure::usage, fmt::format("'{}' is no name of a volume", name), kPlainNameForm};
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return file_error(folder, "write", error.value());
  if (fs::exists(file_of(folder, name), error))
    return Error{Failure::name_in_use, fmt::format("there is a volume {}", name),
                 fmt::format("take another name, or remove it with all it holds: ukl volume rm {}", name)};
  return file_of(folder, name);
}

// A machine that has just ended lets go of its volumes a moment after it has said so.
Result<FileLock> lock(const fs::path& file, const std::string& name) {
  TRY_LET(auto taken, FileLock::try_lock(file.string() + ".lock"));
  for (auto waited = std::chrono::milliseconds(0); !taken && waited < kLetsGo; waited += kLook) {
    std::this_thread::sleep_for(kLook);
    TRY_LET(taken, FileLock::try_lock(file.string() + ".lock"));
  }
  if (!taken)
    return Error{Failure::volume_in_use, fmt::format("a machine has the volume {}", name),
                 "end it first: ukl ps lists those that run"};
  return std::move(*taken);
}

} // namespace

Result<void> create_volume(const fs::path& folder, const std::string& name, std::uint64_t size,
                           const fs::path& from) {
  TRY_LET(const auto path, new_file(folder, name));
  if (size < kLeast)
    return Error{Failure::usage, fmt::format("a volume of {} bytes is too small", size), "2M is the least"};
  std::error_code error;
  if (!from.empty() && !fs::is_directory(from, error))
    return Error{Failure::not_found, fmt::format("{} is no folder", from.string()), "--from takes a folder"};
  TRY_LET(auto file, AtomicFile::create(path, 0600));
  if (ftruncate(file.descriptor(), static_cast<off_t>(size)) != 0)
    return file_error(path, "write", errno);
  std::vector<std::string> command = {"mke2fs",
                                      "-q",
                                      "-F",
                                      "-t",
                                      "ext4",
                                      "-L",
                                      name.substr(0, 16),
                                      "-E",
                                      "root_owner=0:0,lazy_itable_init=1"};
  if (!from.empty())
    command.insert(command.end(), {"-d", from.string()});
  command.push_back(file.temporary_path().string());
  TRY_LET(const auto made, run_host_tool(command, kInstall));
  if (made.status != 0)
    return Error{Failure::unwritable,
                 fmt::format("cannot make the volume {}: {}", name, last_line(made.text)),
                 from.empty() ? "" : "if it is too small for the folder: -s SIZE"};
  return file.commit();
}

std::vector<NamedVolume> named_volumes(const fs::path& folder) {
  std::vector<NamedVolume> volumes;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    struct stat info = {};
    if (entry->path().extension() != kEnding || !is_plain_name(entry->path().stem().string()) ||
        stat(entry->path().c_str(), &info) != 0)
      continue;
    const auto name = entry->path().stem().string();
    volumes.push_back({name, entry->path(), static_cast<std::uint64_t>(info.st_size),
                       static_cast<std::uint64_t>(info.st_blocks) * 512, !lock(entry->path(), name)});
  }
  std::ranges::sort(volumes, {}, &NamedVolume::name);
  return volumes;
}

Result<void> remove_volume(const fs::path& folder, const std::string& name) {
  TRY_LET(const auto file, existing(folder, name));
  TRY_LET(const auto held, lock(file, name));
  std::error_code error;
  fs::remove(file, error);
  if (error)
    return file_error(file, "remove", error.value());
  fs::remove(file.string() + ".lock", error);
  return {};
}

Result<void> copy_volume(const fs::path& folder, const std::string& from, const std::string& to) {
  TRY_LET(const auto source, existing(folder, from));
  TRY_LET(const auto target, new_file(folder, to));
  TRY_LET(const auto held, lock(source, from));
  TRY_LET(auto file, AtomicFile::create(target, 0600));
  // Holes stay holes, and where the file system can, nothing is copied at all.
  TRY_LET(const auto copied, run_command({"cp", "--reflink=auto", "--sparse=always", source.string(),
                                          file.temporary_path().string()}));
  if (copied.status != 0)
    return Error{copied.text.find("No space") != std::string::npos ? Failure::disk_full : Failure::unwritable,
                 fmt::format("cannot copy the volume {}: {}", from, last_line(copied.text)), ""};
  return file.commit();
}

Result<std::optional<Volume>> parse_named_volume(const fs::path& folder, const std::string& text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  std::error_code ignored;
  if (colon == std::string::npos || !is_plain_name(name) || !fs::exists(file_of(folder, name), ignored))
    return std::optional<Volume>();
  // A folder of that name lies here as well: its user may mean either.
  if (fs::exists(name, ignored))
    return Error{Failure::usage, fmt::format("{} is a volume, and a file or folder here", name),
                 fmt::format("for the one here, write ./{}", name)};
  TRY_LET(auto volume, parse_volume(file_of(folder, name).string() + text.substr(colon)));
  volume.named = true;
  return std::optional(std::move(volume));
}

Result<FileLock> take_volume(const Volume& volume) {
  const auto name = volume.host.stem().string();
  TRY_LET(auto held, lock(volume.host, name));
  if (volume.read_only)
    return held;
  TRY_LET(const auto checked, run_host_tool({"e2fsck", "-p", volume.host.string()}, kInstall));
  // 0: in order; 1: repaired (e2fsck(8)).
  if (checked.status > 1)
    return Error{Failure::unreadable,
                 fmt::format("the volume {} is damaged: {}", name, last_line(checked.text)),
                 fmt::format("look at it: e2fsck {}", volume.host.string())};
  return held;
}

} // namespace ukl
