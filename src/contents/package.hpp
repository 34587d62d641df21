// SPDX-License-Identifier: GPL-2.0-only
// A package of a distribution, as far as a list of what is in an image names it.
#pragma once

#include <string>

namespace ukl {

/// What is said of a licence that is not known (SPDX specification 2.3, clause 7.13).
inline constexpr const char* kNoAssertion = "NOASSERTION";

/// Texts of strangers: is_package says whether they are what they should be.
struct Package {
  std::string type;         ///< as in a package URL: deb, apk
  std::string distribution; ///< ID of os-release(5); may be empty
  std::string release;      ///< its VERSION_ID; may be empty
  std::string name, version, architecture;
  std::string source;                 ///< package that it was built from; empty: one of the same name
  std::string licence = kNoAssertion; ///< an SPDX licence expression, or kNoAssertion

  bool operator==(const Package&) const = default;
};

/// Whether name, version and so on are of letters, digits and the few signs that packages' have: nothing that
/// a terminal, a path or a URL could take for something else.
bool is_package(const Package& package);

/// The package URL (github.com/package-url/purl-spec), by which others look up what is known of it; two
/// packages are the same if theirs are.
std::string package_url(const Package& package);

} // namespace ukl
