// SPDX-License-Identifier: GPL-2.0-only
#include "contents/package.hpp"
#include "support/text.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::size_t kLongest = 256;

bool is_of(const std::string& text, std::string_view signs) {
  for (const char letter : text)
    if (!is_letter_or_digit(letter) && signs.find(letter) == std::string_view::npos)
      return false;
  return text.size() <= kLongest;
}

} // namespace

bool is_package(const Package& package) {
  return !package.type.empty() && !package.name.empty() && !package.version.empty() &&
         is_of(package.type, "") && is_of(package.distribution, "._-") && is_of(package.release, "._-") &&
         is_of(package.name, "._+-") && is_of(package.source, "._+-") && is_of(package.version, "._+-~:") &&
         is_of(package.architecture, "_-");
}

std::string package_url(const Package& package) {
  auto url = fmt::format("pkg:{}/", package.type);
  if (!package.distribution.empty())
    url += percent_encoded(package.distribution) + "/";
  url += fmt::format("{}@{}", percent_encoded(package.name), percent_encoded(package.version, ":"));
  char before = '?';
  // In the order of their names.
  for (const auto& [name, value] :
       {std::pair("arch", package.architecture),
        std::pair("distro", package.release.empty() ? "" : package.distribution + "-" + package.release),
        std::pair("upstream", package.source)})
    if (!value.empty()) {
      url += fmt::format("{}{}={}", before, name, percent_encoded(value));
      before = '&';
    }
  return url;
}

} // namespace ukl
