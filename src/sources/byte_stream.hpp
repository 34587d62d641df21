// SPDX-License-Identifier: GPL-2.0-only
// Bytes that come one after the other: a file, a member of an archive.
#pragma once

#include "support/files.hpp"

#include <archive.h>
#include <memory>

struct evp_md_ctx_st;

namespace ukl {

class ByteStream {
public:
  virtual ~ByteStream() = default;
  /// The next bytes, valid until the next call; empty at the end. Errors: unreadable.
  virtual Result<std::span<const std::uint8_t>> next() = 0;
};

/// A file of this machine. Errors: not_found, unreadable.
Result<std::unique_ptr<ByteStream>> stream_file(const std::filesystem::path& path);

/// The data of the entry that `reader` is at. `name` is for messages.
std::unique_ptr<ByteStream> stream_entry(archive* reader, std::string name);

/// Passes on what another stream gives, and knows the SHA-256 of it.
class HashedStream : public ByteStream {
public:
  explicit HashedStream(ByteStream& inner);
  ~HashedStream() override;
  Result<std::span<const std::uint8_t>> next() override;
  /// Reads what is left, and gives the digest of all of it, in hexadecimal. Once.
  Result<std::string> finish();

private:
  ByteStream& inner_;
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> hash_;
};

using ArchiveReader = std::unique_ptr<archive, int (*)(archive*)>;

/// What kinds of archive are expected.
enum class ArchiveKind { tar, ar };

/// Has a reader undo gzip, zstd, xz and bzip2: what libarchive does itself, without other programs.
void support_filters(archive* reader);

/// A stream as an archive, compressed or not. `stream` has to outlive the reader. Error: unreadable (no such
/// archive, or one that cannot be read).
Result<ArchiveReader> open_archive(ByteStream& stream, ArchiveKind kind, const std::string& name);

/// What is wrong with an archive.
Error damaged_archive(const std::string& name, archive* reader);

} // namespace ukl
