// SPDX-License-Identifier: GPL-2.0-only
#include "sources/blobs.hpp"
#include "sources/layer.hpp"
#include "support/interrupt.hpp"

#include <archive_entry.h>
#include <cerrno>
#include <fmt/format.h>
#include <map>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestText = 4 << 20; ///< bytes
constexpr std::size_t kMostText = 64 << 20;      ///< bytes, in all
constexpr int kMostLinks = 8;

Error too_large(const std::string& name) {
  return {Failure::unreadable, fmt::format("{} is too large for what it should be", name),
          "it may be damaged: fetch it again"};
}

class Folder : public Blobs {
public:
  explicit Folder(fs::path folder) : folder_(std::move(folder)) {}
  Result<std::string> text(const std::string& name) override {
    std::error_code ignored;
    if (const auto size = fs::file_size(folder_ / name, ignored); !ignored && size > kLargestText)
      return too_large(folder_ / name);
    return read_text(folder_ / name);
  }
  Result<void> stream(const std::string& name,
                      const std::function<Result<void>(ByteStream&)>& read) override {
    TRY_LET(const auto bytes, stream_file(folder_ / name));
    return read(*bytes);
  }
  bool has(const std::string& name) override {
    std::error_code ignored;
    return fs::is_regular_file(folder_ / name, ignored);
  }

private:
  fs::path folder_;
};

class Archive : public Blobs {
public:
  explicit Archive(fs::path file) : file_(std::move(file)) {}

  // What small files hold is kept, of the others only that they are there.
  Result<void> look() {
    std::size_t kept = 0;
    return each([&](archive* reader, archive_entry* header, const std::string& name) -> Result<bool> {
      const char* target = archive_entry_hardlink(header);
      if (const char* symbolic = archive_entry_symlink(header); symbolic && !target) {
        // Relative to where it stands, as `docker save` once wrote them.
        members_[name].link =
            (fs::path(name).parent_path() / symbolic).lexically_normal().relative_path().string();
        return true;
      }
      if (target) {
        members_[name].link = fs::path(target).lexically_normal().relative_path().string();
        return true;
      }
      if (archive_entry_filetype(header) != AE_IFREG)
        return true;
      auto& one = members_[name];
      one = {};
      const auto size = archive_entry_size(header);
      if (size < 0 || static_cast<std::uintmax_t>(size) > kLargestText)
        return true;
      kept += static_cast<std::size_t>(size);
      if (kept > kMostText)
        return too_large(file_);
      std::string text;
      const auto bytes = stream_entry(reader, file_);
      while (true) {
        TRY_LET(const auto block, bytes->next());
        if (block.empty())
          break;
        text.append(reinterpret_cast<const char*>(block.data()), block.size());
        if (text.size() > kLargestText)
          return too_large(file_);
      }
      one.text = std::move(text);
      return true;
    });
  }

  Result<std::string> text(const std::string& name) override {
    TRY_LET(const auto* found, find(name));
    return found->second.text ? Result<std::string>(*found->second.text) : too_large(name);
  }

  Result<void> stream(const std::string& name,
                      const std::function<Result<void>(ByteStream&)>& read) override {
    TRY_LET(const auto* found, find(name));
    return each([&](archive* reader, archive_entry* header, const std::string& at) -> Result<bool> {
      if (at != found->first || archive_entry_filetype(header) != AE_IFREG || archive_entry_hardlink(header))
        return true;
      const auto bytes = stream_entry(reader, file_);
      TRY(read(*bytes));
      return false;
    });
  }

  bool has(const std::string& name) override { return static_cast<bool>(find(name)); }

private:
  struct Member {
    std::optional<std::string> text;
    std::string link;
  };

  Result<const std::pair<const std::string, Member>*> find(const std::string& name) {
    auto at = members_.find(name);
    for (int links = 0; at != members_.end() && !at->second.link.empty() && links < kMostLinks; ++links)
      at = members_.find(at->second.link);
    if (at == members_.end() || !at->second.link.empty())
      return Error{Failure::not_found, fmt::format("{} has no {}", file_.string(), name),
                   "it may be damaged, or an archive of another kind"};
    return const_cast<const std::pair<const std::string, Member>*>(&*at);
  }

  // `see` says whether to go on.
  Result<void>
  each(const std::function<Result<bool>(archive*, archive_entry*, const std::string& name)>& see) {
    if (std::error_code ignored; !fs::exists(file_, ignored))
      return file_error(file_, "read", ENOENT);
    ArchiveReader reader(archive_read_new(), archive_read_free);
    support_filters(reader.get());
    archive_read_support_format_tar(reader.get());
    if (archive_read_open_filename(reader.get(), file_.c_str(), 1 << 18) != ARCHIVE_OK)
      return damaged_archive(file_, reader.get());
    archive_entry* header = nullptr;
    while (true) {
      if (interrupted())
        return Error{Failure::interrupted, fmt::format("interrupted while reading {}", file_.string()), ""};
      const int status = archive_read_next_header(reader.get(), &header);
      if (status == ARCHIVE_EOF)
        return {};
      if (status < ARCHIVE_WARN)
        return damaged_archive(file_, reader.get());
      const char* name = archive_entry_pathname(header);
      TRY_LET(const auto path, root_path(name ? name : "", file_));
      if (path.empty())
        continue;
      TRY_LET(const bool more, see(reader.get(), header, path.substr(1)));
      if (!more)
        return {};
    }
  }

  fs::path file_;
  std::map<std::string, Member> members_;
};

} // namespace

std::unique_ptr<Blobs> blobs_of_folder(const fs::path& folder) {
  return std::make_unique<Folder>(folder);
}

Result<std::unique_ptr<Blobs>> blobs_of_archive(const fs::path& file) {
  auto archive = std::make_unique<Archive>(file);
  TRY(archive->look());
  return std::unique_ptr<Blobs>(std::move(archive));
}

} // namespace ukl
