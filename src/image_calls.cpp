// SPDX-License-Identifier: GPL-2.0-only
#include "image_calls.hpp"
#include "payload_read.hpp"

namespace ukl {
namespace {

RewriteOptions named(const std::string& name) {
  RewriteOptions options;
  options.name = name;
  return options;
}

Result<std::vector<RewriteReport>> calls_of_file(const std::filesystem::path& path) {
  auto bytes = read_file(path);
  if (!bytes)
    return bytes.error();
  auto report = inspect_elf(*bytes, named(path.string()));
  if (!report)
    return report.error();
  return std::vector{std::move(*report)};
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
