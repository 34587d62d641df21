// SPDX-License-Identifier: GPL-2.0-only
#include "image/calls.hpp"
#include "image/payload_read.hpp"
#include "support/mapped_file.hpp"

namespace ukl {
namespace {

RewriteOptions named(const std::string& name) {
  RewriteOptions options;
  options.name = name;
  return options;
}

Result<std::vector<RewriteReport>> calls_of_file(const std::filesystem::path& path) {
  // Not read: of a large file that is no program, only the head is looked at.
  TRY_LET(auto file, MappedFile::open(path));
  TRY_LET(auto report, inspect_elf(file.bytes(), named(path.string())));
  return std::vector{std::move(report)};
}

} // namespace

Result<std::vector<RewriteReport>> find_image_calls(const std::filesystem::path& path) {
  auto info = read_image(path);
  if (!info && info.error().failure == Failure::not_an_image)
    return calls_of_file(path);
  if (!info)
    return info.error();
  std::vector<RewriteReport> reports;
  auto read = read_payload(path, *info, [&](const PayloadEntry& entry, const ReadContents& contents) {
    if (entry.type != '-')
      return Result<void>();
    auto bytes = contents();
    if (!bytes)
      return Result<void>(bytes.error());
    if (!is_rewritable(*bytes))
      return Result<void>();
    auto report = inspect_elf(*bytes, named(entry.path));
    // A damaged file is in the image for somebody else's sake.
    if (report && !report->sites.empty())
      reports.push_back(std::move(*report));
    return Result<void>();
  });
  if (!read)
    return read.error();
  return reports;
}

} // namespace ukl
