// SPDX-License-Identifier: GPL-2.0-only
#include "image/makeup.hpp"
#include "image/bill.hpp"
#include "image/payload_read.hpp"
#include "support/align.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::size_t kMostFiles = 24;

// The largest first, and what is left as one.
std::vector<Part> largest(std::vector<Part> parts) {
  std::ranges::sort(parts, std::ranges::greater(), &Part::bytes);
  if (parts.size() <= kMostFiles)
    return parts;
  Part rest{fmt::format("{} smaller files", parts.size() - kMostFiles), 0, {}};
  for (std::size_t at = kMostFiles; at < parts.size(); ++at)
    rest.bytes += parts[at].bytes;
  parts.resize(kMostFiles);
  parts.push_back(std::move(rest));
  return parts;
}

Part sum(std::string name, std::vector<Part> parts) {
  Part whole{std::move(name), 0, std::move(parts)};
  for (const auto& part : whole.parts)
    whole.bytes += part.bytes;
  return whole;
}

// What is not among the parts of a whole of so many bytes.
void add_rest(std::vector<Part>& parts, const std::string& name, std::uint64_t whole) {
  for (const auto& part : parts)
    whole -= std::min(whole, part.bytes);
  if (whole > 0)
    parts.push_back({name, whole, {}});
}

} // namespace

Result<std::pair<Part, Part>> image_makeup(const std::filesystem::path& image, const ImageInfo& info) {
  TRY_LET(const auto tree, tree_size(image, info));
  std::vector<Part> packed, unpacked;
  TRY(read_payload(image, info, [&](const PayloadEntry& entry, const ReadContents&) {
    if (entry.type == '-' && entry.same_as.empty() && entry.size > 0) {
      packed.push_back({entry.path, entry.size, {}});
      unpacked.push_back({entry.path, align_up(entry.size, kPage), {}});
    }
    return Result<void>();
  }));
  // What a compressed archive has of each file is not known.
  std::vector<Part> archive;
  if (info.payload_size >= sum("", packed).bytes) {
    archive = largest(std::move(packed));
    add_rest(archive, "names, modes, times, ends of pages", info.payload_size);
  }
  const auto before = info.file_size - std::min(info.file_size, info.payload_size);
  const auto bill = std::min(before, bill_size(info));
  std::vector<Part> file = {{"kernel", before - bill, {}},
                            {"list of packages (ukl inspect --sbom)", bill, {}},
                            {archive.empty() ? "files, compressed" : "files", info.payload_size, archive}};

  auto files = sum("files, unpacked", largest(std::move(unpacked)));
  std::vector<Part> memory = {{"kernel", info.kernel_size, {}},
                              {"kernel's tables, buffers and processes", kernel_own_needs(info), {}},
                              {"archive, until it is unpacked", info.archive_size, {}},
                              std::move(files)};
  add_rest(memory, "room, descriptions of pages, firmware", memory_need(info, tree).least);
  return std::pair(sum("file", std::move(file)), sum("least memory", std::move(memory)));
}

} // namespace ukl
