// SPDX-License-Identifier: GPL-2.0-only
#include "image/write.hpp"
#include "image/compressed_kernel.hpp"
#include "image/multiboot.hpp"
#include "support/align.hpp"
#include "support/interrupt.hpp"
#include "ukl/image.h"

#include <algorithm>
#include <climits>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLargePage = 2 << 20;
// Where the kernel's addresses begin (__START_KERNEL_map, arch/x86/include/asm/page_64_types.h).
constexpr std::uint64_t kKernelMap = 0xffffffff80000000;
constexpr char kNoteName[] = "UKL";
constexpr std::uint32_t kNoteType = 1;

template <typename T> void append(Bytes& bytes, const T& value) {
  bytes.resize(bytes.size() + sizeof value);
  std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
}

Bytes make_note(const std::string& description) {
  Bytes note;
  append(note, Elf64_Nhdr{sizeof kNoteName, static_cast<Elf64_Word>(description.size()), kNoteType});
  append(note, kNoteName);
  note.insert(note.end(), description.begin(), description.end());
  note.resize(align_up(note.size(), 8));
  return note;
}

Elf64_Phdr note_header(std::uint64_t offset, std::uint64_t size, std::uint64_t alignment) {
  return {PT_NOTE, PF_R, offset, 0, 0, size, size, alignment};
}

// The parts of a segment that are not zero, each of which takes what is zero behind it in memory and not in
// the file. A kernel's segments have gaps of up to 2 MiB, for pages with rights of their own.
std::vector<KernelSegment> without_zeros(const KernelSegment& segment) {
  constexpr std::uint64_t least = 4 * kPage;
  const auto& contents = segment.contents;
  const auto is_zero = [&](std::uint64_t at) {
    const auto end = contents.begin() + static_cast<std::ptrdiff_t>(std::min(at + kPage, contents.size()));
    return std::all_of(contents.begin() + static_cast<std::ptrdiff_t>(at), end,
                       [](std::uint8_t byte) { return byte == 0; });
  };
  std::vector<KernelSegment> parts;
  for (std::uint64_t start = 0; start < contents.size();) {
    // From here on everything is taken up to zeros that are worth a header.
    std::uint64_t end = start, next = start, zeros = 0;
    for (; next < contents.size() && (is_zero(next) || zeros < least); next += kPage) {
      zeros = is_zero(next) ? zeros + kPage : 0;
      if (zeros == 0)
        end = next + kPage;
    }
    if (zeros < least)
      end = next = contents.size();
    end = std::min<std::uint64_t>(end, contents.size());
    const bool last = next >= contents.size();
    parts.push_back({segment.virtual_address + start, segment.physical_address + start,
                     (last ? segment.memory_size : next) - start, segment.flags,
                     Bytes(contents.begin() + static_cast<std::ptrdiff_t>(start),
                           contents.begin() + static_cast<std::ptrdiff_t>(end))});
    start = next;
  }
  if (parts.empty())
    parts.push_back(segment);
  return parts;
}

// The image before its payload: headers, notes and the kernel's segments, filled up to a page.
Bytes make_head(const KernelElf& kernel, const Bytes& our_note, Elf64_Phdr payload, const std::string& bill) {
  std::vector<KernelSegment> segments;
  for (const auto& segment : kernel.segments)
    for (auto& part : without_zeros(segment))
      segments.push_back(std::move(part));
  const std::size_t count = 1 + kernel.notes.size() + segments.size() + 1;
  std::vector<Elf64_Phdr> headers;
  Bytes body;
  const auto body_start = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
  const auto position = [&] { return body_start + body.size(); };
  const auto align = [&](std::uint64_t to) { body.resize(align_up(position(), to) - body_start); };
  const auto add = [&](const Bytes& bytes) { body.insert(body.end(), bytes.begin(), bytes.end()); };

  align(8);
  // A loader looks for it in the file's first 32 KiB.
  if (kernel.multiboot_entry != 0)
    add(multiboot_header(kernel.multiboot_entry));
  headers.push_back(note_header(position(), our_note.size(), 8));
  add(our_note);
  for (const auto& note : kernel.notes) {
    align(8);
    headers.push_back(note_header(position(), note.size(), 4));
    add(note);
  }
  for (const auto& segment : segments) {
    align(kPage);
    headers.push_back({PT_LOAD, segment.flags, position(), segment.virtual_address, segment.physical_address,
                       segment.contents.size(), segment.memory_size, kPage});
    add(segment.contents);
  }
  // It ends where the payload begins, so that its size is all that has to be known of it.
  body.resize(align_up(position() + bill.size(), kPage) - body_start);
  std::ranges::copy(bill, body.end() - static_cast<std::ptrdiff_t>(bill.size()));
  payload.p_offset = position();
  headers.push_back(payload);

  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = kernel.entry;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = static_cast<Elf64_Half>(count);
  header.e_shentsize = sizeof(Elf64_Shdr);

  Bytes head;
  head.reserve(position());
  append(head, header);
  for (const auto& one : headers)
    append(head, one);
  head.insert(head.end(), body.begin(), body.end());
  return head;
}

Result<void> patch_number(KernelElf& kernel, const std::string& symbol, std::uint64_t value) {
  const auto found = kernel.symbols.find(symbol);
  if (found == kernel.symbols.end())
    return Error{Failure::missing_symbol,
                 fmt::format("the kernel {} has no variable {}", kernel.name, symbol),
                 "it needs CONFIG_BLK_DEV_INITRD=y and its symbol table: build it with ukl kernel build"};
  Bytes bytes;
  append(bytes, value);
  return patch_kernel(kernel, found->second, bytes);
}

Result<void> patch_calls(KernelElf& kernel, const CallTable& calls) {
  if (calls == CallTable{})
    return {};
  const auto table = kernel.symbols.find(kCallTable);
  if (table == kernel.symbols.end())
    return Error{Failure::missing_symbol,
                 fmt::format("the kernel {} has no table of system calls", kernel.name),
                 "use a kernel profile with the gate (general), or leave the system calls as they are"};
  return patch_kernel(kernel, table->second,
                      {reinterpret_cast<const std::uint8_t*>(calls.data()), calls.size()});
}

Result<void> patch_files(KernelElf& kernel, std::uint64_t start, std::uint64_t size, std::uint64_t count) {
  const auto variable = kernel.symbols.find(kImageFiles);
  if (variable == kernel.symbols.end())
    return Error{Failure::missing_symbol,
                 fmt::format("the kernel {} knows nothing of files in place", kernel.name), ""};
  Bytes bytes;
  append(bytes, ukl_image_files{start, size, count});
  return patch_kernel(kernel, variable->second, bytes);
}

// QEMU sums up what it loads in an int, and the kernel's map ends 2 GiB behind its start. In a q35 machine
// with more than 2.75 GiB, low memory ends there too, and the firmware needs its end.
Result<void> check_end(std::uint64_t memory_end) {
  constexpr std::uint64_t most = INT_MAX - kFirmwareNeeds;
  if (memory_end <= most)
    return {};
  return Error{Failure::usage,
               fmt::format("the image would take {} MiB of memory before it runs, {} are possible",
                           memory_end >> 20, most >> 20),
               "leave files out, or put them on a volume (ukl run --volume)"};
}

// What may not be where the image goes: a device or pipe would be replaced by the file, not written to.
Result<void> check_output(const fs::path& path) {
  std::error_code ignored;
  if (!fs::exists(path, ignored) || fs::is_regular_file(path, ignored))
    return {};
  return Error{Failure::unwritable, fmt::format("cannot write {}: it is not a regular file", path.string()),
               "choose another output with -o"};
}

} // namespace

Result<void> write_image(const fs::path& path, KernelElf kernel, const Manifest& manifest,
                         const CallTable& calls, const Bytes& payload, const WriteOptions& options) {
  if (payload.empty())
    return Error{Failure::internal, "the payload is empty", ""};
  // Behind .bss and .brk, which the kernel's last segment ends with, and clear of the large pages that they
  // share.
  const auto address = align_up(kernel.memory_end, kLargePage);
  TRY(check_end(address + payload.size()));
  const auto note = make_note(encode_manifest(manifest));
  if (note.size() > kImageHead / 2)
    return Error{
        Failure::usage,
        fmt::format("arguments and environment take {} bytes, {} are possible", note.size(), kImageHead / 2),
        "put them in a file and add it with --file"};

  TRY(patch_number(kernel, "phys_initrd_start", address));
  const auto archive_size = options.archive_size ? options.archive_size : payload.size();
  TRY(patch_number(kernel, "phys_initrd_size", archive_size));
  if (options.in_place != 0)
    TRY(patch_files(kernel, address + align_up(archive_size, kPage),
                    payload.size() - align_up(archive_size, kPage), options.in_place));
  TRY(patch_calls(kernel, calls));
  if (options.compress_kernel) {
    TRY_LET(kernel,
            compress_kernel(std::move(kernel), align_up(address + payload.size(), kPage), *options.reporter));
    TRY(check_end(kernel.memory_end));
  }
  const auto head = make_head(
      kernel, note, {PT_LOAD, PF_R, 0, kKernelMap + address, address, payload.size(), payload.size(), kPage},
      options.bill);

  TRY(check_output(path));
  TRY_LET(auto file, AtomicFile::create(path, options.mode));
  TRY(file.write(head));
  TRY(file.write(payload));
  if (interrupted())
    return Error{Failure::interrupted, "interrupted while writing the image; nothing was left behind", ""};
  return file.commit();
}

} // namespace ukl
