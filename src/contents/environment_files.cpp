// SPDX-License-Identifier: GPL-2.0-only
#include "contents/environment_files.hpp"

#include "support/mapped_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <set>
#include <string_view>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kZones = "/usr/share/zoneinfo";
constexpr const char* kLocales = "/usr/lib/locale";

// The archive of one or two locales has 3 MB each; that of all of them has 200.
constexpr std::uintmax_t kLargestArchive = 16 << 20;

// The last value of a variable; empty if it is not set.
std::string variable(const std::vector<std::string>& environment, std::string_view name) {
  std::string value;
  for (const auto& one : environment)
    if (one.size() > name.size() && one.starts_with(name) && one[name.size()] == '=')
      value = one.substr(name.size() + 1);
  return value;
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// A rule as POSIX writes it: a name of three or more letters, or anything in <>, and an offset. UTC and GMT
// alone mean themselves.
bool is_rule(std::string_view text) {
  if (text == "UTC" || text == "GMT" || text == "UTC0" || text == "GMT0")
    return true;
  std::size_t name = 0;
  if (text.starts_with('<')) {
    name = text.find('>');
    if (name == std::string_view::npos)
      return false;
    ++name;
  } else {
    while (name < text.size() && std::isalpha(static_cast<unsigned char>(text[name])))
      ++name;
    if (name < 3)
      return false;
  }
  if (name < text.size() && (text[name] == '+' || text[name] == '-'))
    ++name;
  return name < text.size() && std::isdigit(static_cast<unsigned char>(text[name]));
}

// As glibc's _nl_normalize_codeset writes the part behind the dot in names of folders: UTF-8 becomes utf8.
std::string normal_name(const std::string& locale) {
  const auto dot = locale.find('.');
  if (dot == std::string::npos)
    return locale;
  const auto end = std::min(locale.find('@', dot), locale.size());
  std::string codeset;
  bool digits_only = true;
  for (const unsigned char c : locale.substr(dot + 1, end - dot - 1)) {
    if (!std::isalnum(c))
      continue;
    digits_only = digits_only && std::isdigit(c);
    codeset += static_cast<char>(std::tolower(c));
  }
  return locale.substr(0, dot + 1) + (digits_only ? "iso" : "") + codeset + locale.substr(end);
}

bool holds(std::span<const std::uint8_t> bytes, std::string_view text) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return all.find(text) != std::string_view::npos;
}

// Whether a file's symbols have one of the functions that do: setlocale, newlocale, std::locale's
// constructor.
bool asks_for_locales(const fs::path& file) {
  constexpr std::array<std::string_view, 3> askers = {std::string_view("setlocale\0", 10),
                                                      std::string_view("newlocale\0", 10), "_ZNSt6localeC1E"};
  const auto mapped = MappedFile::open(file);
  return mapped && std::ranges::any_of(askers, [&](auto asker) { return holds(mapped->bytes(), asker); });
}

// Empty, or why it is not there.
Result<std::string> add_locale(RootTree& tree, const std::string& name) {
  for (const auto& folder : {fs::path(kLocales) / normal_name(name), fs::path(kLocales) / name}) {
    if (tree.find(folder.string()))
      return std::string();
    if (!is_there(folder))
      continue;
    CopiedFiles copied;
    TRY(tree.add_copy(folder, folder.string(), copied));
    return std::string();
  }
  const fs::path archive = fs::path(kLocales) / "locale-archive";
  if (tree.find(archive.string()))
    return std::string();
  if (auto all = MappedFile::open(archive);
      !all || !holds(all->bytes(), normal_name(name) + std::string(1, '\0')))
    return fmt::format("the locale {} is not on this machine: the program will use C", name);
  std::error_code ignored;
  const auto size = fs::file_size(archive, ignored);
  if (size > kLargestArchive)
    return fmt::format(
        "the locale {0} lies with all others in {1} of {2} MiB, which is left out: make it alone "
        "(localedef --no-archive) or add --file {1}",
        name, archive.string(), size >> 20);
  TRY(tree.add_same_path(archive));
  return std::string();
}

} // namespace

std::string time_zone_file(const std::vector<std::string>& environment) {
  std::string zone = variable(environment, "TZ");
  const bool only_file = zone.starts_with(':');
  if (only_file)
    zone.erase(0, 1);
  if (zone.empty())
    return {};
  std::string folder = variable(environment, "TZDIR");
  if (folder.empty())
    folder = kZones;
  const fs::path path = zone.starts_with('/') ? fs::path(zone) : fs::path(folder) / zone;
  // EST5EDT is a rule and a file.
  return !only_file && is_rule(zone) && !is_there(path) ? std::string() : path.lexically_normal().string();
}

Result<std::vector<std::string>> add_environment_files(RootTree& tree,
                                                       const std::vector<std::string>& environment) {
  std::vector<std::string> missing;
  if (const auto zone = time_zone_file(environment); !zone.empty() && !tree.find(zone)) {
    if (is_there(zone)) {
      TRY(tree.add_same_path(zone));
    } else {
      missing.push_back(fmt::format("there is no {} for TZ={}: the program's times will be in UTC", zone,
                                    variable(environment, "TZ")));
    }
  }
  std::set<std::string> locales;
  for (const char* name :
       {"LANG", "LC_ALL", "LC_CTYPE", "LC_NUMERIC", "LC_TIME", "LC_COLLATE", "LC_MONETARY", "LC_MESSAGES",
        "LC_PAPER", "LC_NAME", "LC_ADDRESS", "LC_TELEPHONE", "LC_MEASUREMENT", "LC_IDENTIFICATION"})
    locales.insert(variable(environment, name));
  for (const auto& locale : locales) {
    // A path is the program's own affair.
    if (locale.empty() || locale == "C" || locale == "POSIX" || locale.find('/') != std::string::npos)
      continue;
    TRY_LET(auto reason, add_locale(tree, locale));
    if (!reason.empty())
      missing.push_back(reason);
  }
  return missing;
}

Result<void> add_standard_locale(RootTree& tree) {
  const fs::path folder = fs::path(kLocales) / "C.utf8";
  if (!is_there(folder) || tree.find(folder.string()))
    return {};
  bool has_glibc = false, asks = false;
  for (const auto& [path, entry] : tree.entries()) {
    const auto name = fs::path(path).filename().string();
    has_glibc = has_glibc || name == "libc.so.6";
    // These two have the functions for others.
    const bool is_code = entry.type == TreeEntry::Type::file && !entry.host_path.empty() &&
                         ((entry.mode & 0111) || name.find(".so") != std::string::npos) &&
                         !name.starts_with("libc.so.") && !name.starts_with("libstdc++.so.");
    asks = asks || (is_code && asks_for_locales(entry.host_path));
  }
  if (!has_glibc || !asks)
    return {};
  CopiedFiles copied;
  return tree.add_copy(folder, folder.string(), copied);
}

} // namespace ukl
