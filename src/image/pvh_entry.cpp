// SPDX-License-Identifier: GPL-2.0-only
#include "image/pvh_entry.hpp"

#include <cstring>
#include <elf.h>

namespace ukl {
namespace {

constexpr std::uint32_t kPvhEntryNote = 18; ///< XEN_ELFNOTE_PHYS32_ENTRY

// Notes' parts are filled up to this.
constexpr std::uint64_t align_up(std::uint64_t value) {
  return (value + 3) / 4 * 4;
}

} // namespace

std::optional<std::uint64_t> pvh_entry(const KernelElf& kernel) {
  for (const auto& notes : kernel.notes)
    for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
      Elf64_Nhdr note;
      std::memcpy(&note, &notes[at], sizeof note);
      const auto name = at + sizeof note, description = name + align_up(note.n_namesz);
      const auto end = description + align_up(note.n_descsz);
      if (end > notes.size())
        break;
      if (note.n_type == kPvhEntryNote && note.n_namesz == 4 && std::memcmp(&notes[name], "Xen", 4) == 0 &&
          (note.n_descsz == 4 || note.n_descsz == 8)) {
        std::uint64_t address = 0;
        std::memcpy(&address, &notes[description], note.n_descsz);
        return address;
      }
      at = end;
    }
  return std::nullopt;
}

} // namespace ukl
