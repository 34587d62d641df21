// SPDX-License-Identifier: GPL-2.0-only
#include "contents/file_view.hpp"

#include <algorithm>
#include <fnmatch.h>
#include <glob.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestText = 4 << 20; ///< bytes

std::optional<std::string> small_text(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored) || fs::file_size(path, ignored) > kLargestText)
    return std::nullopt;
  auto text = read_text(path);
  return text ? std::optional(std::move(*text)) : std::nullopt;
}

class Machine : public FileView {
public:
  std::optional<fs::path> file(const fs::path& path) const override {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) ? std::optional(path) : std::nullopt;
  }
  bool is_executable(const fs::path& path) const override {
    return file(path) && access(path.c_str(), X_OK) == 0;
  }
  fs::path real(const fs::path& path) const override {
    std::error_code ignored;
    return fs::weakly_canonical(path, ignored);
  }
  std::optional<std::string> text(const fs::path& path) const override { return small_text(path); }
  std::vector<fs::path> matching(const std::string& pattern) const override {
    std::vector<fs::path> paths;
    glob_t found = {};
    if (glob(pattern.c_str(), 0, nullptr, &found) == 0)
      paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    globfree(&found);
    return paths;
  }
};

class Tree : public FileView {
public:
  explicit Tree(const RootTree& tree) : tree_(tree) {}
  std::optional<fs::path> file(const fs::path& path) const override {
    const auto* entry = tree_.find(path.string());
    if (!entry || entry->type != TreeEntry::Type::file || entry->host_path.empty())
      return std::nullopt;
    return entry->host_path;
  }
  bool is_executable(const fs::path& path) const override {
    const auto* entry = tree_.find(path.string());
    return entry && entry->type == TreeEntry::Type::file && (entry->mode & 0111) != 0;
  }
  fs::path real(const fs::path& path) const override { return tree_.real_path(path.string()); }
  std::optional<std::string> text(const fs::path& path) const override {
    return text_in_tree(tree_, path.string());
  }
  // Only in the folder that the pattern names: patterns for folders are not needed.
  std::vector<fs::path> matching(const std::string& pattern) const override {
    const auto slash = pattern.rfind('/');
    const auto folder = tree_.real_path(pattern.substr(0, slash)) + "/";
    std::vector<fs::path> paths;
    if (folder == "/" && slash > 0)
      return paths; // it is not there
    for (auto at = tree_.entries().lower_bound(folder);
         at != tree_.entries().end() && at->first.starts_with(folder); ++at)
      if (fnmatch((folder + pattern.substr(slash + 1)).c_str(), at->first.c_str(),
                  FNM_PATHNAME | FNM_PERIOD) == 0)
        paths.emplace_back(at->first);
    return paths;
  }

private:
  const RootTree& tree_;
};

class Both : public FileView {
public:
  Both(std::shared_ptr<const FileView> first, std::shared_ptr<const FileView> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  std::optional<fs::path> file(const fs::path& path) const override {
    auto found = first_->file(path);
    return found ? found : second_->file(path);
  }
  bool is_executable(const fs::path& path) const override {
    return first_->is_executable(path) || second_->is_executable(path);
  }
  fs::path real(const fs::path& path) const override {
    return first_->file(path) ? first_->real(path) : second_->real(path);
  }
  std::optional<std::string> text(const fs::path& path) const override {
    auto found = first_->text(path);
    return found ? found : second_->text(path);
  }
  std::vector<fs::path> matching(const std::string& pattern) const override {
    auto found = first_->matching(pattern);
    const auto more = second_->matching(pattern);
    found.insert(found.end(), more.begin(), more.end());
    std::ranges::sort(found);
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

private:
  std::shared_ptr<const FileView> first_, second_;
};

} // namespace

std::shared_ptr<const FileView> view_of_machine() {
  static const auto view = std::make_shared<const Machine>();
  return view;
}

std::shared_ptr<const FileView> view_of_tree(const RootTree& tree) {
  return std::make_shared<const Tree>(tree);
}

std::shared_ptr<const FileView> view_of_both(std::shared_ptr<const FileView> first,
                                             std::shared_ptr<const FileView> second) {
  return std::make_shared<const Both>(std::move(first), std::move(second));
}

std::optional<std::string> text_in_tree(const RootTree& tree, const std::string& path) {
  const auto* entry = tree.find(path);
  if (!entry || entry->type != TreeEntry::Type::file)
    return std::nullopt;
  if (!entry->host_path.empty())
    return small_text(entry->host_path);
  return std::string(entry->contents.begin(), entry->contents.end());
}

} // namespace ukl
