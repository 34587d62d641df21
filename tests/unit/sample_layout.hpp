// SPDX-License-Identifier: GPL-2.0-only
// Archives and image layouts for tests, also such as nobody should make.
#pragma once

#include "sample_files.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <memory>

namespace ukl {

/// One entry of an archive.
struct TarEntry {
  std::string path;
  std::string contents;
  char type = '-'; ///< -: file, d: folder, l: symbolic link, h: hard link, c: device, p: pipe
  unsigned mode = 0644;
  unsigned owner = 0, group = 0;
  std::int64_t time = 1'000'000'000;
};

inline la_ssize_t append_block(archive*, void* to, const void* block, std::size_t size) {
  static_cast<std::string*>(to)->append(static_cast<const char*>(block), size);
  return static_cast<la_ssize_t>(size);
}

/// `filter` may be gzip or zstd; empty: none.
inline std::string make_tar(const std::vector<TarEntry>& entries, const std::string& filter = "") {
  std::string bytes;
  std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  archive_write_set_format_gnutar(writer.get());
  if (!filter.empty())
    archive_write_add_filter_by_name(writer.get(), filter.c_str());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  archive_write_open(writer.get(), &bytes, nullptr, append_block, nullptr);
  for (const auto& one : entries) {
    std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(), archive_entry_free);
    archive_entry_set_pathname(entry.get(), one.path.c_str());
    archive_entry_set_perm(entry.get(), one.mode);
    archive_entry_set_uid(entry.get(), one.owner);
    archive_entry_set_gid(entry.get(), one.group);
    archive_entry_set_mtime(entry.get(), one.time, 0);
    archive_entry_set_filetype(entry.get(), one.type == 'd'   ? AE_IFDIR
                                            : one.type == 'l' ? AE_IFLNK
                                            : one.type == 'c' ? AE_IFCHR
                                            : one.type == 'p' ? AE_IFIFO
                                                              : AE_IFREG);
    if (one.type == 'l')
      archive_entry_set_symlink(entry.get(), one.contents.c_str());
    else if (one.type == 'h')
      archive_entry_set_hardlink(entry.get(), one.contents.c_str());
    else
      archive_entry_set_size(entry.get(), static_cast<la_int64_t>(one.contents.size()));
    EXPECT_GE(archive_write_header(writer.get(), entry.get()), ARCHIVE_WARN);
    if (one.type == '-')
      archive_write_data(writer.get(), one.contents.data(), one.contents.size());
  }
  archive_write_close(writer.get());
  return bytes;
}

inline std::string digest_of(const std::string& text) {
  return sha256_hex(text);
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// An OCI layout of one image.
class SampleLayout {
public:
  explicit SampleLayout(std::filesystem::path folder) : folder_(std::move(folder)) {}

  std::string blob(const std::string& bytes) {
    const auto digest = digest_of(bytes);
    write_bytes(folder_ / "blobs/sha256" / digest, bytes);
    return digest;
  }
  /// Adds a layer and gives its digest.
  std::string layer(const std::string& bytes) {
    const auto digest = blob(bytes);
    layers_ +=
        fmt::format(R"({}{{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:{}"}})",
                    layers_.empty() ? "" : ",", digest);
    return digest;
  }
  /// `config`: the members of the configuration's "config".
  void image(const std::string& config, const std::string& tag = "",
             const std::string& architecture = "amd64") {
    const auto text =
        fmt::format(R"({{"os": "linux", "architecture": "{}", "config": {{{}}}}})", architecture, config);
    const auto manifest =
        fmt::format(R"({{"schemaVersion": 2, "config": {{"digest": "sha256:{}"}}, "layers": [{}]}})",
                    blob(text), layers_);
    manifests_ += fmt::format(
        R"({}{{"digest": "sha256:{}", "platform": {{"os": "linux", "architecture": "{}"}}, "annotations": {{{}}}}})",
        manifests_.empty() ? "" : ",", blob(manifest), architecture,
        tag.empty() ? "" : fmt::format(R"("org.opencontainers.image.ref.name": "{}")", tag));
    write_bytes(folder_ / "index.json",
                fmt::format(R"({{"schemaVersion": 2, "manifests": [{}]}})", manifests_));
    layers_.clear();
  }
  const std::filesystem::path& folder() const { return folder_; }

private:
  std::filesystem::path folder_;
  std::string layers_, manifests_;
};

/// A test with a cache of its own.
class SourceTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    setenv("UKL_CACHE", at("cache").c_str(), 1);
  }
  void TearDown() override { unsetenv("UKL_CACHE"); }
};

} // namespace ukl
