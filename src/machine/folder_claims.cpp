// SPDX-License-Identifier: GPL-2.0-only
#include "machine/folder_claims.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr off_t kFirstByte = off_t(1) << 52;

// What a mark says of the folder that has it.
enum class Mark {
  claimed,        // a machine has it
  has_one_inside, // a machine has a folder somewhere inside it
};

struct flock lock_of(short type, Mark mark, FolderUse use) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = kFirstByte + 3 * static_cast<off_t>(mark) + static_cast<off_t>(use);
  lock.l_len = 1;
  return lock;
}

bool set_mark(int folder, Mark mark, FolderUse use) {
  auto lock = lock_of(F_RDLCK, mark, use);
  return fcntl(folder, F_OFD_SETLK, &lock) == 0;
}

// A question for a write lock finds the read locks of all others, and needs no right to write.
bool others_have(int folder, Mark mark, FolderUse use) {
  for (const auto other : {FolderUse::alone, FolderUse::reading, FolderUse::shared}) {
    auto lock = lock_of(F_WRLCK, mark, other);
    if ((other != use || use == FolderUse::alone) && fcntl(folder, F_OFD_GETLK, &lock) == 0 &&
        lock.l_type != F_UNLCK)
      return true;
  }
  return false;
}

Error in_use(const std::string& what) {
  return Error{Failure::volume_in_use, what,
               "to have it in several machines at once, attach it to all of them with :shared (or with :ro)"};
}

} // namespace

Result<int> FolderClaims::open_once(const std::filesystem::path& folder) {
  auto& descriptor = folders_[folder];
  if (!descriptor)
    descriptor = FileDescriptor(open(folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor)
    return file_error(folder, "open", errno);
  return descriptor.get();
}

Result<void> FolderClaims::claim(const std::filesystem::path& named, FolderUse use) {
  std::error_code failure;
  const auto folder = std::filesystem::canonical(named, failure);
  if (failure)
    return file_error(named, "open", failure.value());
  if (std::ranges::find(claimed_, folder) != claimed_.end())
    return Error{Failure::volume_in_use, fmt::format("{} is attached to this machine twice", named.string()),
                 "attach it once, and let a symbolic link in the image lead there"};
  auto descriptor = open_once(folder);
  if (!descriptor)
    return descriptor.error();
  claimed_.push_back(folder);
  // Marked first and looked second: of two that come at once, at least one sees the other.
  if (!set_mark(*descriptor, Mark::claimed, use))
    return {};
  for (auto above = folder.parent_path();; above = above.parent_path()) {
    if (const auto outer = open_once(above);
        outer && set_mark(*outer, Mark::has_one_inside, use) && others_have(*outer, Mark::claimed, use))
      return in_use(
          fmt::format("{} lies in {}, which is in use by another machine", named.string(), above.string()));
    if (above == above.parent_path())
      break;
  }
  if (others_have(*descriptor, Mark::claimed, use))
    return in_use(fmt::format("{} is in use by another machine", named.string()));
  if (others_have(*descriptor, Mark::has_one_inside, use))
    return in_use(fmt::format("a folder inside {} is in use by another machine", named.string()));
  return {};
}

std::vector<int> FolderClaims::descriptors() const {
  std::vector<int> descriptors;
  for (const auto& [folder, descriptor] : folders_)
    if (descriptor)
      descriptors.push_back(descriptor.get());
  return descriptors;
}

} // namespace ukl
