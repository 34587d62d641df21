// SPDX-License-Identifier: GPL-2.0-only
// Images of registries and of container engines: skopeo copies them into a layout in the cache. Below
// cache_folder(): images/<hash of the name>/, which keeps its blobs, so that only what is new is fetched.
#include "kernel/cache.hpp"
#include "sources/oci_layout.hpp"
#include "support/file_lock.hpp"
#include "support/logged_command.hpp"
#include "support/places.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// As docker: a registry on this machine needs no certificate.
bool is_local_registry(const std::string& image) {
  const auto host = image.substr(0, image.find('/'));
  const auto name =
      host.starts_with('[') ? host.substr(0, host.find(']') + 1) : host.substr(0, host.find(':'));
  return image.find('/') != std::string::npos &&
         (name == "localhost" || name.starts_with("127.") || name == "[::1]");
}

bool has_tag(const std::string& image) {
  const auto slash = image.rfind('/');
  return image.find_first_of(":@", slash == std::string::npos ? 0 : slash) != std::string::npos;
}

// The last part of the name, without tag.
std::string name_of(const std::string& image) {
  const auto last = image.substr(image.rfind('/') + 1);
  return last.substr(0, last.find_first_of(":@"));
}

std::string last_line(const fs::path& log) {
  auto line = last_lines(log, 1);
  while (!line.empty() && line.front() == ' ')
    line.erase(0, 1);
  // skopeo's own form: time="…" level=fatal msg="…"
  const auto message = line.find("msg=\"");
  return message == std::string::npos ? line : line.substr(message + 5, line.size() - message - 6);
}

} // namespace

Result<Source> open_through_skopeo(const std::string& transport, const std::string& text,
                                   Reporter& reporter) {
  if (text.empty() || text.starts_with('-') || name_of(text).empty())
    return Error{Failure::usage, fmt::format("'{}' is no name of an image", text),
                 "expected: a name like redis:7, or a path that begins with ./ or /"};
  const auto image = has_tag(text) ? text : text + ":latest";
  const auto reference = transport + (transport == "docker" ? "://" : ":") + image;
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(reference.data()), reference.size());
  const auto key = sha256_hex(bytes).substr(0, 16);
  const auto folder = cache_folder() / "images" / key;
  TRY_LET(const auto lock, FileLock::wait(lock_path("image-" + key), image, reporter));
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    return file_error(folder, "create", failure.value());

  std::vector<std::string> command = {"skopeo", "--override-os", "linux", "--override-arch", "amd64"};
  // Without a policy of this machine's: the one of Docker, which takes what the registry gives.
  if (!fs::exists("/etc/containers/policy.json", failure))
    command.push_back("--insecure-policy");
  command.push_back("copy");
  if (transport == "docker" && is_local_registry(image))
    command.push_back("--src-tls-verify=false");
  command.insert(command.end(), {reference, fmt::format("oci:{}:image", folder.string())});

  const auto log = folder.string() + ".log";
  fs::remove(log, failure);
  reporter.note(fmt::format("fetching {}", image));
  {
    const auto status = run_logged(command, {}, log);
    if (!status && status.error().failure == Failure::missing_tool)
      return Error{Failure::missing_tool, fmt::format("skopeo, which fetches {}, is not installed", image),
                   "apt-get install skopeo"};
    if (!status)
      return status.error();
    if (*status != 0)
      return Error{Failure::unreadable, fmt::format("skopeo cannot fetch {}: {}", image, last_line(log)),
                   fmt::format("what it said is in {}", log)};
  }
  const auto blobs = blobs_of_folder(folder);
  TRY_LET(auto source, open_layout(*blobs, "image", image, reporter));
  source.name = name_of(image);
  return source;
}

} // namespace ukl
