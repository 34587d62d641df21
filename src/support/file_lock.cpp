// SPDX-License-Identifier: GPL-2.0-only
#include "support/file_lock.hpp"
#include "support/interrupt.hpp"

#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <thread>

namespace ukl {

Result<std::optional<FileLock>> FileLock::try_lock(const std::filesystem::path& path) {
  std::error_code ignored; // open() below reports what is wrong with the folder
  std::filesystem::create_directories(path.parent_path(), ignored);
  FileDescriptor fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd)
    return file_error(path, "write", errno);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0)
    return std::optional(FileLock(std::move(fd)));
  if (errno != EWOULDBLOCK && errno != EINTR)
    return file_error(path, "lock", errno);
  return std::optional<FileLock>();
}

Result<FileLock> FileLock::wait(const std::filesystem::path& path, const std::string& what,
                                Reporter& reporter) {
  for (bool told = false;; told = true) {
    TRY_LET(auto lock, try_lock(path));
    if (lock)
      return std::move(*lock);
    if (!told)
      reporter.note(fmt::format("waiting for another ukl that is busy with {}", what));
    if (interrupted())
      return Error{Failure::interrupted, fmt::format("interrupted while waiting for {}", what), ""};
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

} // namespace ukl
