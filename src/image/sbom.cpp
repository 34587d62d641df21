// SPDX-License-Identifier: GPL-2.0-only
#include "image/sbom.hpp"
#include "image/bill.hpp"
#include "image/payload_read.hpp"
#include "support/mapped_file.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kOurLicence = "GPL-2.0-only"; ///< of ukl and of Linux
constexpr const char* kLinux = "linux";
constexpr const char* kUkl = "ukl";
constexpr const char* kImage = "image";

json hash_json(const std::string& sha256) {
  return json::array({{{"alg", "SHA-256"}, {"content", sha256}}});
}

// NOASSERTION is no expression.
json licences_json(const std::string& licence) {
  if (licence == kNoAssertion)
    return json::array({{{"license", {{"name", licence}}}}});
  return json::array({{{"expression", licence}}});
}

json property(const char* name, const std::string& value) {
  return {{"name", name}, {"value", value}};
}

// 128 bits of a hash in the form of a UUID that says that it is none of the usual kinds (RFC 9562, version
// 8).
std::string uuid_of(const std::string& text) {
  auto hex = sha256_hex(text);
  hex[12] = '8';
  hex[16] = "89ab"[hex[16] % 4];
  return fmt::format("urn:uuid:{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4),
                     hex.substr(16, 4), hex.substr(20, 12));
}

// The hashes of the payload's regular files by their paths.
Result<std::map<std::string, std::string>> file_hashes(const fs::path& image, const ImageInfo& info) {
  std::map<std::string, std::string> hashes;
  TRY(read_payload(image, info, [&](const PayloadEntry& entry, const ReadContents& contents) -> Result<void> {
    if (entry.type != '-')
      return {};
    if (!entry.same_as.empty()) {
      hashes[entry.path] = hashes[entry.same_as];
      return {};
    }
    TRY_LET(const auto bytes, contents());
    hashes[entry.path] = sha256_hex(bytes);
    return {};
  }));
  return hashes;
}

// A name may hold any bytes, and JSON only UTF-8: the reference has all of them.
json file_json(const std::string& path, const std::string& sha256, bool changed) {
  json file = {{"type", "file"},
               {"bom-ref", "file:" + percent_encoded(path, "/")},
               {"name", path},
               {"hashes", hash_json(sha256)}};
  if (changed)
    file["properties"] = json::array({property("ukl:changed", "system calls")});
  return file;
}

json package_json(const Package& package) {
  const auto url = package_url(package);
  return {{"type", "library"},          {"bom-ref", url}, {"name", package.name},
          {"version", package.version}, {"purl", url},    {"licenses", licences_json(package.licence)}};
}

json linux_json(const Bill& bill, const Manifest& manifest) {
  json kernel = {{"type", "operating-system"},
                 {"bom-ref", kLinux},
                 {"name", "linux"},
                 {"licenses", licences_json(kOurLicence)},
                 {"properties", json::array({property("ukl:profile", value_of(manifest, key::profile)),
                                             property("ukl:kernel", value_of(manifest, key::kernel))})}};
  if (!bill.linux_version.empty())
    kernel["version"] = bill.linux_version;
  // What it was built from: Debian's archive, which is then patched.
  if (!bill.linux_source.empty())
    kernel["pedigree"] = {{"ancestors", json::array({{{"type", "file"},
                                                      {"name", "Linux's source as Debian ships it"},
                                                      {"hashes", hash_json(bill.linux_source)}}})}};
  return kernel;
}

json ukl_json(const Bill& bill) {
  return {
      {"type", "application"},
      {"bom-ref", kUkl},
      {"name", "ukl"},
      {"version", bill.tool},
      {"description", "init, the code that runs before the kernel, and files that were made for the image"},
      {"licenses", licences_json(kOurLicence)}};
}

Result<json> components(const fs::path& image, const ImageInfo& info, const Bill& bill) {
  TRY_LET(const auto hashes, file_hashes(image, info));
  if (hashes.size() != bill.owners.size())
    return Error{Failure::not_an_image,
                 fmt::format("what {} says of its packages is not about its files", image.string()),
                 "make the image again with: ukl pack PROGRAM"};
  std::vector<json> owners = {json(), ukl_json(bill)};
  for (const auto& package : bill.packages)
    owners.push_back(package_json(package));
  json files = json::array();
  std::size_t at = 0;
  for (const auto& [path, sha256] : hashes) {
    const auto owner = bill.owners[at];
    (owner == Bill::kNobody ? files : owners[owner]["components"])
        .push_back(file_json(path, sha256, bill.changed[at]));
    ++at;
  }
  json all = json::array({linux_json(bill, info.manifest)});
  for (std::size_t owner = Bill::kUkl; owner < owners.size(); ++owner)
    all.push_back(std::move(owners[owner]));
  for (auto& file : files)
    all.push_back(std::move(file));
  return all;
}

json image_json(const Manifest& manifest, const std::string& sha256) {
  const auto program = values_of(manifest, key::argument);
  const auto path = program.empty() ? std::string() : program[0];
  const auto name = fs::path(path).filename().string();
  return {{"type", "application"},
          {"bom-ref", kImage},
          {"name", name.empty() ? kImage : name},
          {"description", fmt::format("{} and Linux as one file that boots", path)},
          {"hashes", hash_json(sha256)}};
}

} // namespace

Result<std::string> make_sbom(const fs::path& image, const ImageInfo& info) {
  TRY_LET(const auto bill, read_bill(image, info));
  TRY_LET(auto parts, components(image, info, bill));
  TRY_LET(const auto file, MappedFile::open(image));
  json needs = json::array();
  for (const auto& part : parts)
    needs.push_back(part["bom-ref"]);
  json metadata = {
      {"tools",
       {{"components", json::array({{{"type", "application"}, {"name", "ukl"}, {"version", bill.tool}}})}}},
      {"component", image_json(info.manifest, sha256_hex(file.bytes()))}};
  if (bill.time)
    metadata["timestamp"] =
        fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(*bill.time)));
  json sbom = {{"$schema", "http://cyclonedx.org/schema/bom-1.5.schema.json"},
               {"bomFormat", "CycloneDX"},
               {"specVersion", "1.5"},
               {"version", 1},
               {"metadata", std::move(metadata)},
               {"components", std::move(parts)},
               {"dependencies", json::array({{{"ref", kImage}, {"dependsOn", std::move(needs)}}})}};
  const auto text = [&] { return sbom.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; };
  sbom["serialNumber"] = uuid_of(text());
  return text();
}

Result<std::map<std::string, std::vector<std::string>>> image_licences(const fs::path& image,
                                                                       const ImageInfo& info) {
  TRY_LET(const auto bill, read_bill(image, info));
  std::map<std::string, std::vector<std::string>> licences;
  const auto add = [&](const std::string& licence, const std::string& name, const std::string& version) {
    licences[licence].push_back(version.empty() ? name : fmt::format("{} {}", name, version));
  };
  add(kOurLicence, "linux", bill.linux_version);
  add(kOurLicence, "ukl", bill.tool);
  for (const auto& package : bill.packages)
    add(package.licence, package.name, package.version);
  if (const auto files = std::ranges::count(bill.owners, Bill::kNobody); files > 0)
    add(kNoAssertion, fmt::format("{} {} of no package", files, files == 1 ? "file" : "files"), "");
  for (auto& [licence, names] : licences)
    std::ranges::sort(names);
  return licences;
}

} // namespace ukl
