// SPDX-License-Identifier: GPL-2.0-only
// The ELF files that go into an image, each read and parsed once, whoever asks for it and by whatever name.
#pragma once

#include "elf/file.hpp"
#include "elf/view.hpp"

#include <map>
#include <memory>
#include <optional>

namespace ukl {

/// One ELF file of this machine.
struct ElfContents {
  std::filesystem::path path;    ///< by which it was asked for first
  Bytes bytes;                   ///< all of it; as long as their place stays, `view` may be used
  Result<ElfFile> loading;       ///< what its loader sees, or why there is nothing to load
  Result<rewrite::ElfView> view; ///< of `bytes`, or why it is none
};

class ElfFiles {
public:
  /// The file at `path`, links followed; null if it cannot be read or is no ELF file.
  std::shared_ptr<ElfContents> find(const std::filesystem::path& path);
  /// What its loader sees. Errors: not_found, unreadable, those of parse_elf.
  Result<ElfFile> loading(const std::filesystem::path& path);

private:
  /// By device and inode; null: no ELF file.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::shared_ptr<ElfContents>> files_;
};

} // namespace ukl
