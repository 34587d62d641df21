// SPDX-License-Identifier: GPL-2.0-only
#include "image/kernel_slide.hpp"
#include "image/multiboot.hpp"
#include "image/pvh_entry.hpp"
#include "image/write.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

using View = std::span<const std::uint8_t>;

Error not_an_image(const std::string& name, const std::string& what) {
  return {Failure::not_an_image, fmt::format("{} is not an image of ukl, or a damaged one: {}", name, what),
          "make one with: ukl pack PROGRAM"};
}

bool within(std::uint64_t offset, std::uint64_t size, std::uint64_t whole) {
  return offset <= whole && size <= whole - offset;
}

// The program headers, if the file's first bytes are as write_image makes them.
Result<std::vector<Elf64_Phdr>> read_headers(View head, const std::string& name) {
  Elf64_Ehdr header;
  if (head.size() < sizeof header)
    return not_an_image(name, "it is too short");
  std::memcpy(&header, head.data(), sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
    return not_an_image(name, "it is not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64 || header.e_type != ET_EXEC || header.e_phentsize != sizeof(Elf64_Phdr))
    return not_an_image(name, "it is another kind of ELF file");
  if (!within(header.e_phoff, header.e_phnum * sizeof(Elf64_Phdr), head.size()))
    return not_an_image(name, "its program headers are cut off");
  std::vector<Elf64_Phdr> headers(header.e_phnum);
  if (!headers.empty())
    std::memcpy(headers.data(), &head[header.e_phoff], headers.size() * sizeof(Elf64_Phdr));
  return headers;
}

// At how many addresses the kernel can run. The code that moves it is the entry, or that which unpacks both,
// and lies behind the kernel.
std::uint64_t positions_of(std::span<const Elf64_Phdr> headers, std::uint64_t entry) {
  std::uint64_t start = UINT64_MAX, end = 0;
  bool moves = false;
  for (const auto& segment : headers) {
    if (segment.p_type != PT_LOAD)
      continue;
    moves = moves || (segment.p_flags == (PF_R | PF_W | PF_X) && segment.p_paddr == entry);
    // Ours lie where their addresses say.
    if (segment.p_paddr < entry && segment.p_vaddr != segment.p_paddr) {
      start = std::min(start, segment.p_paddr);
      end = std::max(end, segment.p_paddr + segment.p_memsz);
    }
  }
  return moves && start < end ? slide_positions(start, end) : 1;
}

// Where the image's writer puts it: behind the program headers.
bool has_multiboot_header(View head, std::size_t count) {
  const auto at = (sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr) + 7) / 8 * 8;
  std::uint32_t word = 0;
  if (!within(at, sizeof word, head.size()))
    return false;
  std::memcpy(&word, &head[at], sizeof word);
  return word == kMultibootMagic;
}

// The manifest in our note, if `segment` is our note.
std::optional<std::string_view> our_note(View head, const Elf64_Phdr& segment) {
  Elf64_Nhdr note;
  if (segment.p_type != PT_NOTE || !within(segment.p_offset, segment.p_filesz, head.size()))
    return std::nullopt;
  View bytes = head.subspan(segment.p_offset, segment.p_filesz);
  if (bytes.size() < sizeof note + 4)
    return std::nullopt;
  std::memcpy(&note, bytes.data(), sizeof note);
  if (note.n_type != 1 || note.n_namesz != 4 || std::memcmp(&bytes[sizeof note], "UKL", 4) != 0)
    return std::nullopt;
  bytes = bytes.subspan(sizeof note + 4);
  if (note.n_descsz > bytes.size())
    return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), note.n_descsz);
}

Result<Manifest> read_manifest(View head, const std::vector<Elf64_Phdr>& headers, const std::string& name) {
  std::optional<std::string_view> text;
  for (const auto& segment : headers)
    if (auto found = our_note(head, segment))
      text = found;
  if (!text)
    return not_an_image(name, "it has no note of ukl");
  auto manifest = decode_manifest(*text);
  if (encode_manifest(manifest) != *text)
    return not_an_image(name, "its manifest is not readable");
  const auto format = value_of(manifest, key::format);
  if (format.empty())
    return not_an_image(name, "its manifest says no format");
  if (format != kImageFormat)
    return Error{Failure::other_version,
                 fmt::format("{} was made by another version of ukl (image format {:.20}, this one has {})",
                             name, format, kImageFormat),
                 "pack the program again with this ukl, or use the ukl that made the image"};
  return manifest;
}

} // namespace

Result<ImageInfo> parse_image(View head, std::uint64_t file_size, const std::string& name) {
  TRY_LET(auto headers, read_headers(head, name));
  TRY_LET(auto manifest, read_manifest(head, headers, name));

  const auto payload = headers.back();
  if (payload.p_type != PT_LOAD || payload.p_flags != PF_R || payload.p_filesz == 0 ||
      payload.p_filesz != payload.p_memsz)
    return not_an_image(name, "its last segment is no payload");
  if (!within(payload.p_offset, payload.p_filesz, file_size))
    return not_an_image(name, "it is truncated");
  if (payload.p_offset + payload.p_filesz != file_size)
    return not_an_image(name, "something follows its payload");
  ImageInfo info;
  for (std::size_t i = 0; i + 1 < headers.size(); ++i) {
    const auto& segment = headers[i];
    if (!within(segment.p_offset, segment.p_filesz, payload.p_offset))
      return not_an_image(name, "a segment of its kernel lies outside of the file");
    if (segment.p_type == PT_NOTE && within(segment.p_offset, segment.p_filesz, head.size()))
      info.xen = info.xen || speaks_xen(head.subspan(segment.p_offset, segment.p_filesz));
    if (segment.p_type != PT_LOAD)
      continue;
    // Behind the payload lies what unpacks the kernel; nobody needs it any more when Linux runs.
    const auto payload_end = payload.p_paddr + payload.p_filesz;
    const bool behind = segment.p_paddr >= payload_end && segment.p_paddr <= UINT32_MAX;
    if (segment.p_filesz > segment.p_memsz || segment.p_memsz > UINT32_MAX ||
        !(behind || within(segment.p_paddr, segment.p_memsz, payload.p_paddr)))
      return not_an_image(name, "its kernel and its payload overlap");
    info.memory_end = std::max(info.memory_end, segment.p_paddr + segment.p_memsz);
    if (behind)
      info.compressed = true;
    else
      info.kernel_size += segment.p_memsz;
  }
  if (info.kernel_size == 0)
    return not_an_image(name, "it has no kernel");
  if (payload.p_paddr > UINT32_MAX || payload.p_filesz > UINT32_MAX)
    return not_an_image(name, "its payload lies too high");
  info.manifest = std::move(manifest);
  info.file_size = file_size;
  info.payload_offset = payload.p_offset;
  info.payload_size = payload.p_filesz;
  info.payload_address = payload.p_paddr;
  info.archive_size = info.payload_size;
  if (const auto text = value_of(info.manifest, key::archive); !text.empty()) {
    const char* end = text.data() + text.size();
    const auto size = std::from_chars(text.data(), end, info.archive_size);
    if (size.ec != std::errc() || size.ptr == end || *size.ptr != ':' ||
        std::from_chars(size.ptr + 1, end, info.in_place).ptr != end || info.archive_size > info.payload_size)
      return not_an_image(name, "its manifest does not say where its files are");
  }
  Elf64_Ehdr header;
  std::memcpy(&header, head.data(), sizeof header);
  info.positions = positions_of(std::span(headers).first(headers.size() - 1), header.e_entry);
  info.multiboot = has_multiboot_header(head, headers.size());
  info.memory_end = std::max(info.memory_end, payload.p_paddr + payload.p_filesz);
  return info;
}

Result<ImageInfo> read_image(const std::filesystem::path& path) {
  FileDescriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status = {};
  if (!file || fstat(file.get(), &status) != 0)
    return file_error(path, "read", errno);
  if (S_ISDIR(status.st_mode))
    return file_error(path, "read", EISDIR);
  Bytes head(std::min<std::uint64_t>(static_cast<std::uint64_t>(status.st_size), kImageHead));
  for (std::size_t filled = 0; filled < head.size();) {
    const ssize_t got = read(file.get(), &head[filled], head.size() - filled);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return file_error(path, "read", errno);
    if (got == 0)
      head.resize(filled);
    filled += static_cast<std::size_t>(got);
  }
  return parse_image(head, static_cast<std::uint64_t>(status.st_size), path.string());
}

} // namespace ukl
