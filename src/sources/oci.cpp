// SPDX-License-Identifier: GPL-2.0-only
// oci:, oci-archive: and docker-archive:, by their paths.
#include "sources/oci_layout.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

bool is_layout(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "index.json", ignored);
}

// What an image is called after: the file's name without .tar and the like.
std::string name_of(const fs::path& path) {
  std::error_code ignored;
  auto name = fs::absolute(path, ignored).lexically_normal();
  if (name.filename().empty())
    name = name.parent_path();
  auto text = name.filename().string();
  for (const char* ending : {".gz", ".zst", ".xz", ".tar", ".oci"})
    if (text.ends_with(ending))
      text.resize(text.size() - std::string_view(ending).size());
  return text.empty() ? "image" : text;
}

template <typename Open> Result<Source> open_archive_file(const std::string& text, Open open) {
  const auto [file, tag] = split_tag(text);
  TRY_LET(const auto blobs, blobs_of_archive(file));
  TRY_LET(auto source, open(*blobs, tag, file.string()));
  source.name = name_of(file);
  source.files.push_back(file);
  return source;
}

} // namespace

Result<Source> open_oci(const std::string& text, Reporter& reporter) {
  const auto [folder, tag] = split_tag(text);
  // A registry's names have slashes too: what begins like a path is one, and so is what is there.
  if (!text.starts_with('.') && !text.starts_with('/') && !is_layout(folder))
    return open_through_skopeo("docker", text, reporter);
  if (!is_layout(folder))
    return Error{Failure::not_found,
                 fmt::format("{} is no image layout: it has no index.json", folder.string()),
                 "for a folder with the files themselves write dir:FOLDER, for an archive oci-archive:FILE"};
  const auto blobs = blobs_of_folder(folder);
  TRY_LET(auto source, open_layout(*blobs, tag, folder.string(), reporter));
  source.name = name_of(folder);
  source.files.push_back(folder / "index.json");
  return source;
}

Result<Source> open_oci_archive(const std::string& text, Reporter& reporter) {
  return open_archive_file(text, [&](Blobs& blobs, const std::string& tag, const std::string& name) {
    return open_layout(blobs, tag, name, reporter);
  });
}

Result<Source> open_docker_archive(const std::string& text, Reporter& reporter) {
  return open_archive_file(text, [&](Blobs& blobs, const std::string& tag, const std::string& name) {
    return open_saved_image(blobs, tag, name, reporter);
  });
}

} // namespace ukl
