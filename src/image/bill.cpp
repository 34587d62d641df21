// SPDX-License-Identifier: GPL-2.0-only
#include "image/bill.hpp"
#include "contents/package_database.hpp"
#include "image/gather.hpp"
#include "kernel/cache.hpp"
#include "sources/json_reading.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A payload has no more files than this, and a bill no more bytes.
constexpr std::uint64_t kMostFiles = 4'000'000;
constexpr std::uint64_t kLargest = 64 << 20;

// Where the kernel says its version: "Linux version 6.1.140 (…".
std::string version_in(const KernelElf& kernel) {
  constexpr std::string_view banner = "Linux version ";
  for (const auto& segment : kernel.segments) {
    const std::string_view text(reinterpret_cast<const char*>(segment.contents.data()),
                                segment.contents.size());
    for (auto at = text.find(banner); at != std::string_view::npos; at = text.find(banner, at + 1)) {
      const auto rest = text.substr(at + banner.size(), 64);
      const auto version = rest.substr(0, rest.find_first_not_of("0123456789.abcdefghijklmnopqrstuvwxyz+-_"));
      if (!version.empty() && version[0] >= '0' && version[0] <= '9')
        return std::string(version);
    }
  }
  return {};
}

std::vector<fs::path> files_without_package(const RootTree& tree) {
  std::vector<fs::path> files;
  for (const auto& [path, entry] : tree.entries())
    if (entry.type == TreeEntry::Type::file && !entry.package && !entry.host_path.empty())
      files.push_back(entry.host_path);
  return files;
}

// Lists in which the same number stands many times in a row: number, how often, number …
template <typename List> json run_lengths(const List& list) {
  json runs = json::array();
  for (std::size_t at = 0, end = 0; at < list.size(); at = end) {
    while (end < list.size() && list[end] == list[at])
      ++end;
    runs.push_back(static_cast<std::uint64_t>(list[at]));
    runs.push_back(end - at);
  }
  return runs;
}

template <typename List> bool expand_runs(const json& runs, std::uint64_t below, List& list) {
  if (!runs.is_array() || runs.size() % 2 != 0)
    return false;
  for (std::size_t at = 0; at < runs.size(); at += 2) {
    if (!runs[at].is_number_unsigned() || !runs[at + 1].is_number_unsigned())
      return false;
    const auto value = runs[at].get<std::uint64_t>(), count = runs[at + 1].get<std::uint64_t>();
    if (value >= below || count > kMostFiles - list.size())
      return false;
    list.insert(list.end(), count, static_cast<typename List::value_type>(value));
  }
  return true;
}

json package_json(const Package& package) {
  return {package.type,    package.distribution, package.release, package.name,
          package.version, package.architecture, package.source,  package.licence};
}

std::optional<Package> read_package(const json& fields) {
  Package package;
  std::string* const places[] = {&package.type,    &package.distribution, &package.release, &package.name,
                                 &package.version, &package.architecture, &package.source,  &package.licence};
  if (!fields.is_array() || fields.size() != std::size(places))
    return std::nullopt;
  for (std::size_t at = 0; at < std::size(places); ++at) {
    if (!fields[at].is_string())
      return std::nullopt;
    *places[at] = fields[at].get<std::string>();
  }
  const bool printable =
      std::ranges::all_of(package.licence, [](char letter) { return letter >= ' ' && letter <= '~'; });
  return is_package(package) && printable && !package.licence.empty() ? std::optional(package) : std::nullopt;
}

bool is_version(const std::string& text) {
  return text.size() < 100 &&
         std::ranges::all_of(text, [](char letter) { return letter > ' ' && letter <= '~'; });
}

bool is_digest(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

} // namespace

Bill make_bill(const RootTree& tree, const ImageKernel& kernel, std::int64_t newest) {
  Bill bill;
  bill.tool = UKL_VERSION;
  if (newest != UINT32_MAX)
    bill.time = newest;
  bill.linux_version = version_in(kernel.elf);
  bill.linux_source = source_of_kernel(kernel.kernel);
  const auto of_machine = owners_on_this_machine(files_without_package(tree));
  const auto package_of = [&](const TreeEntry& entry) -> const Package* {
    if (entry.package)
      return is_package(*entry.package) ? entry.package.get() : nullptr;
    const auto found = of_machine.find(entry.host_path.string());
    return found == of_machine.end() ? nullptr : found->second.get();
  };
  // In the order of their URLs, by which two that are the same are one.
  std::set<const Package*> seen;
  std::map<std::string, std::vector<const Package*>> packages;
  for (const auto& [path, entry] : tree.entries())
    if (const auto* package = entry.type == TreeEntry::Type::file ? package_of(entry) : nullptr;
        package && seen.insert(package).second)
      packages[package_url(*package)].push_back(package);
  std::map<const Package*, std::uint64_t> numbers;
  for (const auto& [url, same] : packages) {
    for (const auto* package : same)
      numbers[package] = Bill::kFirstPackage + bill.packages.size();
    bill.packages.push_back(*same.front());
  }
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.type != TreeEntry::Type::file)
      continue;
    const auto* package = package_of(entry);
    const bool of_ukl = path == kInitPath || (entry.host_path.empty() && !package);
    bill.owners.push_back(of_ukl ? Bill::kUkl : package ? numbers.at(package) : Bill::kNobody);
    bill.changed.push_back(entry.changed != nullptr);
  }
  return bill;
}

std::string encode_bill(const Bill& bill) {
  json all = {{"ukl", bill.tool},
              {"linux", {{"version", bill.linux_version}, {"source", bill.linux_source}}},
              {"packages", json::array()},
              {"owners", run_lengths(bill.owners)},
              {"changed", run_lengths(bill.changed)}};
  if (bill.time)
    all["time"] = static_cast<std::uint64_t>(*bill.time);
  for (const auto& package : bill.packages)
    all["packages"].push_back(package_json(package));
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<Bill> decode_bill(const std::string& text) {
  const auto all = json::parse(text, nullptr, false);
  if (!all.is_object())
    return std::nullopt;
  Bill bill;
  bill.tool = text_member(all, "ukl");
  if (const auto& time = member(all, "time"); time.is_number_unsigned())
    bill.time = static_cast<std::int64_t>(std::min<std::uint64_t>(time.get<std::uint64_t>(), UINT32_MAX));
  bill.linux_version = text_member(member(all, "linux"), "version");
  bill.linux_source = text_member(member(all, "linux"), "source");
  if (!is_version(bill.tool) || !is_version(bill.linux_version) ||
      !(bill.linux_source.empty() || is_digest(bill.linux_source)))
    return std::nullopt;
  for (const auto& fields : member(all, "packages")) {
    auto package = read_package(fields);
    if (!package)
      return std::nullopt;
    bill.packages.push_back(std::move(*package));
  }
  if (!expand_runs(member(all, "owners"), Bill::kFirstPackage + bill.packages.size(), bill.owners) ||
      !expand_runs(member(all, "changed"), 2, bill.changed) || bill.owners.size() != bill.changed.size())
    return std::nullopt;
  return bill;
}

std::uint64_t bill_size(const ImageInfo& info) {
  const auto text = value_of(info.manifest, key::bill);
  const auto* end = text.data() + text.size();
  std::uint64_t size = 0;
  const auto number = std::from_chars(text.data(), end, size);
  return number.ec == std::errc() && number.ptr == end ? size : 0;
}

Result<Bill> read_bill(const fs::path& image, const ImageInfo& info) {
  if (value_of(info.manifest, key::bill).empty())
    return Error{
        Failure::other_version,
        fmt::format("{} does not say what it was made of: it was packed by an older ukl", image.string()),
        "pack the program again with this ukl"};
  const auto size = bill_size(info);
  const Error damaged{Failure::not_an_image,
                      fmt::format("what {} says of its packages is damaged", image.string()),
                      "make the image again with: ukl pack PROGRAM"};
  if (size == 0 || size > kLargest || size > info.payload_offset)
    return damaged;
  TRY_LET(const auto file, MappedFile::open(image));
  if (info.payload_offset > file.bytes().size())
    return damaged;
  const auto bytes = file.bytes().subspan(info.payload_offset - size, size);
  auto bill = decode_bill(std::string(bytes.begin(), bytes.end()));
  if (!bill)
    return damaged;
  return std::move(*bill);
}

} // namespace ukl
