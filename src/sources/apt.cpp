// SPDX-License-Identifier: GPL-2.0-only
#include "sources/apt.hpp"
#include "kernel/cache.hpp"
#include "support/files.hpp"
#include "support/logged_command.hpp"
#include "support/places.hpp"
#include "support/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr auto kFreshFor = std::chrono::hours(24);

fs::path apt_folder() {
  return cache_folder() / "apt";
}

Error no_apt() {
  return {Failure::missing_tool, "apt-get, which fetches Debian packages, is not installed",
          "deb: works on Debian and what is made of it"};
}

ProcessOptions surroundings() {
  ProcessOptions options;
  options.environment = {"APT_CONFIG=" + (apt_folder() / "conf").string(), "LC_ALL=C",
                         "DEBIAN_FRONTEND=noninteractive"};
  return options;
}

// How this machine reaches its archives: proxies, certificates, time limits. Hooks and folders stay away.
Result<std::string> ways_to_archives() {
  ProcessOptions options;
  options.environment = {"LC_ALL=C"};
  auto dump = run_command({"apt-config", "dump"}, options);
  if (!dump)
    return no_apt();
  std::string kept;
  std::istringstream lines(dump->text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("Acquire::"))
      kept += line + "\n";
  return kept;
}

Result<void> write_configuration(const std::vector<std::string>& installed) {
  const auto folder = apt_folder();
  std::error_code failure;
  for (const char* part : {"lists/partial", "cache/archives/partial", "closures", "log"}) {
    fs::create_directories(folder / part, failure);
    if (failure)
      return file_error(folder / part, "create", failure.value());
  }
  TRY_LET(auto text, ways_to_archives());
  text += "#clear Acquire::Languages;\n";
  // Not apt.conf.d: its hooks are made for this machine's own state.
  text += fmt::format(
      "Dir::State \"{0}\";\nDir::State::lists \"{0}/lists\";\nDir::State::status \"{0}/status\";\n"
      "Dir::State::extended_states \"{0}/extended_states\";\n"
      "Dir::Cache \"{0}/cache\";\nDir::Log \"{0}/log\";\nDir::Etc::parts \"/dev/null\";\n"
      "Dir::Etc::main \"/dev/null\";\nAPT::Sandbox::User \"root\";\nAPT::Architecture \"amd64\";\n"
      "APT::Architectures {{ \"amd64\"; }};\nAPT::Install-Recommends \"false\";\n"
      "Acquire::ForceHash \"SHA256\";\nAcquire::Languages \"none\";\n",
      folder.string());
  TRY(write_text(folder / "conf", text));
  std::string status;
  for (const auto& name : installed)
    status +=
        fmt::format("Package: {0}\nStatus: install ok installed\nVersion: 9999:9999\nArchitecture: amd64\n"
                    "Multi-Arch: allowed\nMaintainer: ukl\nDescription: not in the image\n{1}\n",
                    name, name == "debconf" ? "Provides: debconf-2.0\n" : "");
  return write_text(folder / "status", status);
}

// The archives were asked within a day, and since the list of archives was changed.
bool is_fresh() {
  std::error_code failure;
  const auto asked = fs::last_write_time(apt_folder() / "updated", failure);
  if (failure || fs::file_time_type::clock::now() - asked > kFreshFor)
    return false;
  std::vector<fs::path> lists = {"/etc/apt/sources.list", "/etc/apt/sources.list.d"};
  for (const auto& entry : fs::directory_iterator("/etc/apt/sources.list.d", failure))
    lists.push_back(entry.path());
  for (const auto& list : lists) {
    const auto changed = fs::last_write_time(list, failure);
    if (!failure && changed > asked)
      return false;
  }
  return true;
}

// The first lines of apt's output that say what is wrong, as one.
std::string complaint(const std::string& output) {
  std::string all;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("E: ") && all.size() < 300)
      all += (all.empty() ? "" : "; ") + line.substr(3);
  return all.empty() ? "it does not say why" : all;
}

// Whether apt knows any packages.
bool has_lists() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(apt_folder() / "lists", ignored))
    if (entry.path().filename().string().find("_Packages") != std::string::npos)
      return true;
  return false;
}

Result<void> update_lists(Reporter& reporter) {
  const auto log = apt_folder() / "update.log";
  std::error_code ignored;
  fs::remove(log, ignored);
  reporter.note("asking the Debian archives for their lists of packages");
  const auto status =
      run_logged({"apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any"}, surroundings(), log);
  if (!status)
    return status.error().failure == Failure::missing_tool ? no_apt() : status.error();
  const auto said = read_text(log);
  // One archive of several may be out of reach for long, and all of them where there is no network.
  if (*status != 0 && has_lists())
    reporter.note(
        fmt::format("not all archives could be asked, and apt goes on with what it knows of them: {}",
                    complaint(said ? *said : "")));
  else if (*status != 0)
    return Error{
        Failure::unreadable, fmt::format("apt cannot ask the archives: {}", complaint(said ? *said : "")),
        fmt::format("see {}; without a network take the .deb file itself: deb:./FILE.deb", log.string())};
  return write_text(apt_folder() / "updated", "");
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

constexpr const char* kEnd = "end";

// What the same question came to before, with the same lists.
fs::path closure_file(const std::vector<std::string>& names, const std::vector<std::string>& without) {
  std::error_code ignored;
  const auto asked = fs::last_write_time(apt_folder() / "updated", ignored).time_since_epoch().count();
  const auto text = fmt::format("{}\n{}\n{}", asked, fmt::join(names, " "), fmt::join(without, " "));
  const auto key = sha256_hex(text);
  return apt_folder() / "closures" / key.substr(0, 32);
}

std::optional<std::vector<AptPackage>> read_closure(const fs::path& file) {
  const auto text = read_text(file);
  if (!text)
    return std::nullopt;
  std::vector<AptPackage> packages;
  std::istringstream words(*text);
  for (AptPackage one; words >> one.name && one.name != kEnd; packages.push_back(one))
    if (!(words >> one.version >> one.file >> one.sha256) || !is_sha256(one.sha256))
      return std::nullopt;
  return text->ends_with(std::string(kEnd) + "\n") ? std::optional(packages) : std::nullopt;
}

std::string closure_text(const std::vector<AptPackage>& packages) {
  std::string text;
  for (const auto& one : packages)
    text += fmt::format("{} {} {} {}\n", one.name, one.version, one.file, one.sha256);
  return text + kEnd + "\n";
}

Error cannot_resolve(const std::vector<std::string>& names, const std::string& output) {
  const auto what = complaint(output);
  for (const char* unknown : {"Unable to locate package", "has no installation candidate", "was not found"})
    if (what.find(unknown) != std::string::npos)
      return {Failure::not_found, fmt::format("apt knows no such package: {}", what),
              "check the name and /etc/apt/sources.list (apt-cache search finds packages)"};
  return {Failure::usage, fmt::format("apt cannot have {}: {}", fmt::join(names, ", "), what),
          "see: apt-get install -s " + fmt::format("{}", fmt::join(names, " "))};
}

} // namespace

std::vector<AptPackage> read_uris(const std::string& text) {
  std::vector<AptPackage> packages;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string uri, size, hash;
    AptPackage one;
    if (!line.starts_with('\'') || !(words >> uri >> one.file >> size >> hash) ||
        !hash.starts_with("SHA256:"))
      continue;
    one.sha256 = hash.substr(7);
    const auto first = one.file.find('_'), second = one.file.rfind('_');
    if (first == std::string::npos || second <= first || !is_sha256(one.sha256))
      continue;
    one.name = one.file.substr(0, first);
    one.version = percent_decoded(one.file.substr(first + 1, second - first - 1));
    packages.push_back(std::move(one));
  }
  return packages;
}

Result<std::vector<AptPackage>> resolve_packages(const std::vector<std::string>& names,
                                                 const std::vector<std::string>& without,
                                                 Reporter& reporter) {
  const bool fresh = is_fresh();
  if (fresh)
    if (auto known = read_closure(closure_file(names, without)))
      return std::move(*known);
  TRY(write_configuration(without));
  if (!fresh)
    TRY(update_lists(reporter));
  std::vector<std::string> command = {"apt-get", "install", "-qq", "--print-uris", "--no-install-recommends",
                                      "--"};
  command.insert(command.end(), names.begin(), names.end());
  TRY_LET(const auto printed, run_command(command, surroundings()));
  if (printed.status != 0)
    return cannot_resolve(names, printed.text);
  auto packages = read_uris(printed.text);
  const auto closure = closure_file(names, without);
  // A file may be another one the next time.
  const bool by_name = fmt::format("{}", fmt::join(names, " ")).find('/') == std::string::npos;
  if (by_name && !packages.empty())
    TRY(write_text(closure, closure_text(packages)));
  return packages;
}

Result<fs::path> download_packages(const std::vector<AptPackage>& packages, Reporter& reporter) {
  const auto folder = apt_folder() / "fetched";
  std::error_code failure;
  fs::remove_all(folder, failure);
  fs::create_directories(folder, failure);
  if (failure)
    return file_error(folder, "create", failure.value());
  std::vector<std::string> command = {"apt-get", "download", "-q", "--"};
  for (const auto& one : packages)
    command.push_back(one.name + "=" + one.version);
  auto options = surroundings();
  options.directory = folder;
  const auto log = apt_folder() / "download.log";
  fs::remove(log, failure);
  const auto progress =
      reporter.progress(fmt::format("fetching {} packages", packages.size()), packages.size());
  std::uint64_t done = 0;
  const auto status = run_logged(command, options, log, [&](const std::string& line) {
    if (line.starts_with("Get:"))
      progress->update(std::min<std::uint64_t>(++done, packages.size()));
  });
  if (!status || *status != 0)
    fs::remove_all(folder, failure);
  if (!status)
    return status.error().failure == Failure::missing_tool ? no_apt() : status.error();
  if (*status != 0) {
    const auto said = read_text(log);
    return Error{Failure::unreadable,
                 fmt::format("apt cannot fetch packages: {}", complaint(said ? *said : "")),
                 fmt::format("remove {} to have it ask the archives anew; see {}",
                             (apt_folder() / "updated").string(), log.string())};
  }
  return folder;
}

} // namespace ukl
