// SPDX-License-Identifier: GPL-2.0-only
#include "image/pvh_entry.hpp"
#include "support/align.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <elf.h>

namespace ukl {
namespace {

constexpr std::uint32_t kXenVersionNote = 5; ///< XEN_ELFNOTE_XEN_VERSION
constexpr std::uint32_t kPvhEntryNote = 18;  ///< XEN_ELFNOTE_PHYS32_ENTRY

// Notes' parts are filled up to this.
constexpr std::uint64_t kFill = 4;

constexpr std::uint32_t kRelocationNote = 19; ///< XEN_ELFNOTE_PHYS32_RELOC
constexpr std::uint32_t kNoNote = 0;          ///< XEN_ELFNOTE_INFO, which nobody reads

struct Place {
  std::uint64_t at, size; // of a note's description, bytes
  std::uint64_t type;     // where its type stands
};

// The first note of Xen's of this type.
std::optional<Place> xen_note(std::span<const std::uint8_t> notes, std::uint32_t type) {
  for (std::size_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr note;
    std::memcpy(&note, &notes[at], sizeof note);
    const auto name = at + sizeof note, description = name + align_up(note.n_namesz, kFill);
    const auto end = description + align_up(note.n_descsz, kFill);
    if (end > notes.size())
      break;
    if (note.n_type == type && note.n_namesz == 4 && std::memcmp(&notes[name], "Xen", 4) == 0)
      return Place{description, note.n_descsz, at + offsetof(Elf64_Nhdr, n_type)};
    at = end;
  }
  return std::nullopt;
}

std::optional<Place> pvh_note(std::span<const std::uint8_t> notes) {
  const auto place = xen_note(notes, kPvhEntryNote);
  return place && (place->size == 4 || place->size == 8) ? place : std::nullopt;
}

} // namespace

std::optional<std::uint64_t> pvh_entry(const KernelElf& kernel) {
  for (const auto& notes : kernel.notes)
    if (const auto place = pvh_note(notes)) {
      std::uint64_t address = 0;
      std::memcpy(&address, &notes[place->at], place->size);
      return address;
    }
  return std::nullopt;
}

void set_pvh_entry(KernelElf& kernel, std::uint64_t address) {
  for (auto& notes : kernel.notes)
    if (const auto place = pvh_note(notes)) {
      std::memcpy(&notes[place->at], &address, place->size);
      return;
    }
}

void stay_in_place(KernelElf& kernel) {
  for (auto& notes : kernel.notes)
    if (const auto place = xen_note(notes, kRelocationNote))
      std::memcpy(&notes[place->type], &kNoNote, sizeof kNoNote);
}

bool speaks_xen(std::span<const std::uint8_t> notes) {
  return xen_note(notes, kXenVersionNote).has_value();
}

bool speaks_xen(const KernelElf& kernel) {
  return std::ranges::any_of(kernel.notes, [](const Bytes& notes) { return speaks_xen(notes); });
}

} // namespace ukl
