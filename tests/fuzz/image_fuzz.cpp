// SPDX-License-Identifier: GPL-2.0-only
// Any bytes as an image: an error, or a payload that lies in the file and behind the kernel. The first byte
// of the input chooses: the rest is a whole file, or changes to a small well-formed one, of three bytes each.
#include "image/write.hpp"

#include <cstring>
#include <elf.h>

namespace {

constexpr std::uint64_t kNote = 512, kKernel = 1024, kPayload = 2048, kEnd = 2560; // places in the file
constexpr std::uint64_t kMemory = 0x1000000;                                       // where the kernel lies

template <typename T> void store(ukl::Bytes& file, std::uint64_t at, const T& value) {
  std::memcpy(&file[at], &value, sizeof value);
}

Elf64_Phdr segment(Elf64_Word type, Elf64_Word flags, std::uint64_t from, std::uint64_t size) {
  Elf64_Phdr header{};
  header.p_type = type;
  header.p_flags = flags;
  header.p_offset = from;
  header.p_paddr = kMemory + from;
  header.p_filesz = header.p_memsz = size;
  return header;
}

ukl::Bytes well_formed() {
  ukl::Bytes file(kEnd);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 3;
  store(file, 0, header);

  const auto manifest =
      ukl::encode_manifest({{std::string(ukl::key::format), ukl::kImageFormat}, {"argument", "a"}});
  const Elf64_Nhdr note{4, static_cast<Elf64_Word>(manifest.size()), 1};
  store(file, kNote, note);
  std::memcpy(&file[kNote + sizeof note], "UKL", 4);
  std::memcpy(&file[kNote + sizeof note + 4], manifest.data(), manifest.size());
  const Elf64_Phdr segments[] = {segment(PT_NOTE, PF_R, kNote, sizeof note + 4 + manifest.size()),
                                 segment(PT_LOAD, PF_R | PF_X, kKernel, kPayload - kKernel),
                                 segment(PT_LOAD, PF_R, kPayload, kEnd - kPayload)};
  store(file, header.e_phoff, segments);
  return file;
}

ukl::Bytes changed(std::span<const std::uint8_t> changes) {
  static const ukl::Bytes original = well_formed();
  static const bool sound = ukl::parse_image(original, original.size(), "input").operator bool();
  if (!sound)
    __builtin_trap(); // or the changes would be made to what is refused anyway
  auto file = original;
  for (; changes.size() >= 3; changes = changes.subspan(3)) {
    // Half of the places are in the headers, where most is to be found.
    const std::size_t place = changes[0] + 256U * (changes[1] & 7);
    file[changes[1] & 128 ? place % kKernel : place] = changes[2];
  }
  if (changes.size() == 2) // cut off
    file.resize((changes[0] + 256U * changes[1]) % (kEnd + 1));
  return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  const auto file = data[0] & 1 ? changed({data + 1, size - 1}) : ukl::Bytes(data + 1, data + size);
  auto info = ukl::parse_image(file, file.size(), "input");
  if (!info)
    return 0;
  if (info->payload_size == 0 || info->payload_offset > file.size() ||
      info->payload_size > file.size() - info->payload_offset)
    __builtin_trap();
  if (info->memory_end <= info->payload_address || info->kernel_size == 0 || info->manifest.empty())
    __builtin_trap();
  return 0;
}
