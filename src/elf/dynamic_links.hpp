// SPDX-License-Identifier: GPL-2.0-only
// What ties an ELF file to others and its data to its code: dynamic symbols and relocations (System V ABI,
// AMD64 supplement, chapters 4 and 5; DT_RELR: gABI, "Relocation").
#pragma once

#include "elf/view.hpp"

#include <map>
#include <set>

namespace ukl::rewrite {

struct DynamicLinks {
  std::string soname;
  std::vector<std::string> needed;
  std::set<std::string> imports;                ///< names of symbols that it takes from other files
  std::map<std::string, std::uint64_t> exports; ///< code that it offers: name and address
  std::map<std::uint64_t, std::string> slots;   ///< pointers that the loader fills in: place and symbol
  std::set<std::string> held;                   ///< imported symbols whose addresses its data holds
  std::vector<std::uint64_t> pointers;          ///< addresses of code that its data holds, sorted
};

DynamicLinks dynamic_links(const ElfView& elf);

} // namespace ukl::rewrite
