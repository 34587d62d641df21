// SPDX-License-Identifier: GPL-2.0-only
#include "elf/elf_files.hpp"
#include "support/mapped_file.hpp"

#include <sys/stat.h>

namespace ukl {
namespace {

// Most files that are asked for are none, so only the first page of those is touched.
std::shared_ptr<ElfContents> read_contents(const std::filesystem::path& path) {
  {
    const auto head = MappedFile::open(path);
    if (!head || !begins_as_elf(head->bytes()))
      return nullptr;
  }
  auto bytes = read_file(path);
  if (!bytes)
    return nullptr;
  const auto name = path.string();
  auto file = std::make_shared<ElfContents>(ElfContents{
      path, std::move(*bytes), Error{Failure::internal, name, ""}, Error{Failure::internal, name, ""}});
  file->view = rewrite::ElfView::parse(file->bytes, name);
  if (file->view)
    file->loading = loading_of(*file->view, name);
  else
    file->loading = file->view.error();
  return file;
}

} // namespace

std::shared_ptr<ElfContents> ElfFiles::find(const std::filesystem::path& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
    return nullptr;
  const auto [place, fresh] = files_.try_emplace({status.st_dev, status.st_ino}, nullptr);
  if (fresh)
    place->second = read_contents(path);
  return place->second;
}

Result<ElfFile> ElfFiles::loading(const std::filesystem::path& path) {
  if (const auto file = find(path))
    return file->loading;
  // Says why there is none.
  return read_elf(path);
}

} // namespace ukl
