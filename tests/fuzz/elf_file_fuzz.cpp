// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as an ELF file, for everybody who reads one: an error or a result, never a crash. Seeds: any
// program, library or kernel.
#include "elf/dynamic_links.hpp"
#include "elf/file.hpp"
#include "image/kernel_elf.hpp"
#include "image/kernel_relocations.hpp"

namespace {

// Whatever was read lies in the input, so it cannot be longer.
void check(bool sound) {
  if (!sound)
    __builtin_trap();
}

void as_program(ukl::rewrite::ByteView bytes) {
  const auto elf = ukl::rewrite::ElfView::parse(bytes, "input");
  if (!elf)
    return;
  if (const auto file = ukl::loading_of(*elf, "input"))
    for (const auto& name : file->needed)
      check(name.size() < bytes.size());
  for (const auto& symbol : elf->symbols())
    check(symbol.name.size() < bytes.size() && elf->text_at(symbol.address));
  for (const auto pointer : ukl::rewrite::dynamic_links(*elf).pointers)
    check(elf->text_at(pointer));
}

void as_kernel(ukl::rewrite::ByteView bytes) {
  const auto relocations = ukl::parse_kernel_relocations(bytes, "input");
  const auto kernel = ukl::parse_kernel_elf(bytes, "input", {"_text", ""});
  if (!kernel)
    return;
  for (const auto& segment : kernel->segments)
    check(segment.contents.size() <= segment.memory_size && segment.contents.size() <= bytes.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  as_program({data, size});
  as_kernel({data, size});
  return 0;
}
