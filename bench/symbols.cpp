// SPDX-License-Identifier: GPL-2.0-only
#include "symbols.hpp"
#include "support/files.hpp"

#include <sstream>

namespace ukl::bench {

Result<std::vector<std::pair<std::uint64_t, double>>> read_counts(const std::filesystem::path& counts) {
  TRY_LET(const auto text, read_text(counts));
  std::vector<std::pair<std::uint64_t, double>> all;
  std::istringstream words(text);
  std::uint64_t address = 0;
  for (double count = 0; words >> std::hex >> address >> std::dec >> count;)
    all.emplace_back(address, count);
  return all;
}

// `ukl kernel build` leaves System.map beside the kernel: lines ADDRESS TYPE NAME.
Result<Functions> functions_of_kernel(const std::filesystem::path& vmlinux) {
  auto text = read_text(vmlinux.parent_path() / "System.map");
  if (!text)
    return text.error();
  Functions functions;
  std::istringstream words(*text);
  std::uint64_t address = 0;
  for (std::string type, name; words >> std::hex >> address >> type >> name;)
    if (type == "t" || type == "T" || type == "W" || type == "w")
      functions.try_emplace(address, name);
  return functions;
}

std::string name_in(const Functions& functions, std::uint64_t address) {
  const auto after = functions.upper_bound(address);
  return after == functions.begin() ? "(code without a name)" : std::prev(after)->second;
}

} // namespace ukl::bench
