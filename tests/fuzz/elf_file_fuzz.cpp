// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as an ELF file: an error or a result, never a crash. Seeds: any program or library.
#include "elf_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto elf = ukl::parse_elf({data, size}, "input");
  // Whatever was read lies in the input, so it cannot be longer.
  if (elf)
    for (const auto& name : elf->needed)
      if (name.size() >= size)
        __builtin_trap();
  return 0;
}
