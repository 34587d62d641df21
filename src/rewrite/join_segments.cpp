// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/join_segments.hpp"

#include "elf/view.hpp"

#include <algorithm>

namespace ukl::rewrite {
namespace {

bool is_whole_in_file(const Elf64_Phdr& segment, std::uint32_t flags) {
  return segment.p_type == PT_LOAD && segment.p_flags == flags && segment.p_filesz == segment.p_memsz;
}

// The pages of `second` follow those of `first`, in the file as in memory: what is mapped stays the same.
bool are_neighbours(const Elf64_Phdr& first, const Elf64_Phdr& second) {
  const auto end = first.p_vaddr + first.p_filesz;
  return first.p_vaddr - first.p_offset == second.p_vaddr - second.p_offset && end > first.p_vaddr &&
         end <= second.p_vaddr && page_up(end) == (second.p_vaddr & ~(kPage - 1));
}

} // namespace

void join_headers_and_text(std::vector<Elf64_Phdr>& segments) {
  const auto first =
      std::ranges::find_if(segments, [](const Elf64_Phdr& segment) { return segment.p_type == PT_LOAD; });
  if (first == segments.end() || first + 1 == segments.end())
    return;
  const auto second = first + 1;
  if (first->p_offset != 0 || !is_whole_in_file(*first, PF_R) || !is_whole_in_file(*second, PF_R | PF_X) ||
      !are_neighbours(*first, *second))
    return;
  second->p_filesz = second->p_memsz = second->p_vaddr + second->p_filesz - first->p_vaddr;
  second->p_offset = first->p_offset;
  second->p_vaddr = second->p_paddr = first->p_vaddr;
  second->p_align = std::max(first->p_align, second->p_align);
  segments.erase(first);
}

} // namespace ukl::rewrite
