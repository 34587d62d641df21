// SPDX-License-Identifier: GPL-2.0-only
#include "machine/settings_block.hpp"

#include "support/standard_streams.hpp"
#include "ukl/run_settings.hpp"

#include <cerrno>
#include <sys/mman.h>

namespace ukl {

Result<FileDescriptor> settings_block(const Manifest& settings) {
  FileDescriptor block(memfd_create("ukl-run-settings", MFD_CLOEXEC));
  if (!block)
    return file_error("file in memory", "create", errno);
  if (const int error = write_all(block.get(), encode_run_settings(settings)); error != 0)
    return file_error("file in memory", "write", error);
  return block;
}

} // namespace ukl
