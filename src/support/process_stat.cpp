// SPDX-License-Identifier: GPL-2.0-only
#include "support/process_stat.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <string>

namespace ukl {

std::array<std::uint64_t, 25> process_stat(pid_t pid) {
  std::array<std::uint64_t, 25> fields = {};
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  // The second field, a name in brackets, may hold anything; the third is a letter.
  if (!std::getline(file, text, '\0') || text.rfind(')') == std::string::npos)
    return fields;
  std::istringstream words(text.substr(text.rfind(')') + 1));
  std::string word;
  words >> word;
  for (std::size_t field = 4; field < fields.size() && words >> word; ++field)
    fields.at(field) = std::strtoull(word.c_str(), nullptr, 10);
  return fields;
}

} // namespace ukl
