// SPDX-License-Identifier: GPL-2.0-only
#include "capabilities.hpp"

#include "console.hpp"
#include "ending.hpp"

#include <cstdlib>
#include <sys/xattr.h>

namespace ukl::init {

void set_capabilities(const Manifest& settings) {
  for (const auto& text : values_of(settings, key::capability)) {
    const auto colon = text.find(':');
    std::string value;
    for (std::size_t at = 0; at + 1 < std::min(colon, text.size()); at += 2)
      value += static_cast<char>(strtoul(text.substr(at, 2).c_str(), nullptr, 16));
    const std::string path = colon == std::string::npos ? "" : text.substr(colon + 1);
    // A ramfs, the root of a machine with little memory, keeps no attributes.
    if (setxattr(path.c_str(), "security.capability", value.data(), value.size(), 0) != 0)
      say("cannot give " + path + " its capabilities" + reason());
  }
}

} // namespace ukl::init
