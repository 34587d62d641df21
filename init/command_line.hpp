// SPDX-License-Identifier: GPL-2.0-only
// The words `ukl.KEY=VALUE` of the kernel's command line. Header-only: init reads them, the tool's tests too.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

inline int hexadecimal(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'a' && digit <= 'f')
    return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F')
    return digit - 'A' + 10;
  return -1;
}

/// Undoes percent-encoding. A percent sign without two hexadecimal digits stays as it is.
inline std::string percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hexadecimal(text[i + 1]) >= 0 &&
        hexadecimal(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hexadecimal(text[i + 1]) * 16 + hexadecimal(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// The words of the kernel's command line that are ours.
inline Manifest command_line_words(std::string_view line) {
  Manifest words;
  while (!line.empty()) {
    const auto end = line.find_first_of(" \n");
    const auto word = line.substr(0, end);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
    // What stands behind a lone -- is init's own argument list, not the kernel's parameters.
    if (word == "--")
      break;
    const auto equals = word.find('=');
    if (word.starts_with(kCommandLinePrefix) && equals != std::string_view::npos)
      words.emplace_back(word.substr(kCommandLinePrefix.size(), equals - kCommandLinePrefix.size()),
                         percent_decode(word.substr(equals + 1)));
  }
  return words;
}

} // namespace ukl::init
