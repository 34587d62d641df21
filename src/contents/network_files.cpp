// SPDX-License-Identifier: GPL-2.0-only
#include "contents/network_files.hpp"

#include "support/mapped_file.hpp"

#include <algorithm>
#include <string_view>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

constexpr const char* kCertificates = "/etc/ssl/certs/ca-certificates.crt";
// Where Debian's OpenSSL looks for one file with all of them (openssl version -d).
constexpr const char* kOpenSslFile = "/usr/lib/ssl/cert.pem";

// Functions that read /etc/services and /etc/protocols, and the name itself in static programs.
constexpr std::string_view kServiceAskers[] = {"getservby"sv, "getprotobyn"sv, "getservent"sv,
                                               "/etc/services\0"sv};
constexpr std::string_view kCertificateAskers[] = {"/etc/ssl/certs"sv, "/usr/lib/ssl\0"sv};

template <std::size_t N> bool holds(std::span<const std::uint8_t> bytes, const std::string_view (&texts)[N]) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return std::ranges::any_of(texts, [&](auto text) { return all.find(text) != std::string_view::npos; });
}

bool is_there(const char* path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

Result<void> add_file(RootTree& tree, const char* path) {
  return is_there(path) && !tree.find(path) ? tree.add(path, host_entry(path, 0644)) : Result<void>();
}

} // namespace

Result<void> add_network_files(RootTree& tree) {
  bool services = false, certificates = false, openssl = false;
  for (const auto& [path, entry] : tree.entries()) {
    const auto name = std::string_view(path).substr(path.rfind('/') + 1);
    // The C library has the functions for others.
    const bool is_code = entry.type == TreeEntry::Type::file && !entry.host_path.empty() &&
                         ((entry.mode & 0111) || name.find(".so") != std::string_view::npos) &&
                         !name.starts_with("libc.so.");
    const auto file = is_code ? MappedFile::open(entry.host_path) : Error{};
    if (!file)
      continue;
    services = services || holds(file->bytes(), kServiceAskers);
    certificates = certificates || holds(file->bytes(), kCertificateAskers);
    openssl = openssl || name.starts_with("libcrypto.so.");
  }
  if (services)
    for (const char* path : {"/etc/services", "/etc/protocols"})
      TRY(add_file(tree, path));
  if (certificates)
    TRY(add_file(tree, kCertificates));
  if (openssl && tree.find(kCertificates) && !tree.find(kOpenSslFile))
    TRY(tree.add(kOpenSslFile, link_entry(kCertificates)));
  return {};
}

} // namespace ukl
