// SPDX-License-Identifier: GPL-2.0-only
#include "image.hpp"
#include "support/interrupt.hpp"
#include "ukl/gate.h"

#include <charconv>
#include <climits>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>
#include <map>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kLargePage = 2 << 20;
// Where the kernel's addresses begin (__START_KERNEL_map, arch/x86/include/asm/page_64_types.h).
constexpr std::uint64_t kKernelMap = 0xffffffff80000000;
constexpr char kNoteName[] = "UKL";
constexpr std::uint32_t kNoteType = 1;

constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

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

// The image before its payload: headers, notes and the kernel's segments, filled up to a page.
Bytes make_head(const KernelElf& kernel, const Bytes& our_note, Elf64_Phdr payload) {
  const std::size_t count = 1 + kernel.notes.size() + kernel.segments.size() + 1;
  std::vector<Elf64_Phdr> headers;
  Bytes body;
  const auto body_start = sizeof(Elf64_Ehdr) + count * sizeof(Elf64_Phdr);
  const auto position = [&] { return body_start + body.size(); };
  const auto align = [&](std::uint64_t to) { body.resize(align_up(position(), to) - body_start); };
  const auto add = [&](const Bytes& bytes) { body.insert(body.end(), bytes.begin(), bytes.end()); };

  align(8);
  headers.push_back(note_header(position(), our_note.size(), 8));
  add(our_note);
  for (const auto& note : kernel.notes) {
    align(8);
    headers.push_back(note_header(position(), note.size(), 4));
    add(note);
  }
  for (const auto& segment : kernel.segments) {
    align(kPage);
    headers.push_back({PT_LOAD, segment.flags, position(), segment.virtual_address, segment.physical_address,
                       segment.contents.size(), segment.memory_size, kPage});
    add(segment.contents);
  }
  align(kPage);
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

// The manifest's `syscall` records into the kernel's table: one byte for each number (UKL_CALL_*,
// asm/ukl_gate.h).
Result<void> patch_calls(KernelElf& kernel, const Manifest& manifest) {
  static const std::map<std::string, std::uint8_t> kinds = {
      {"full", 1}, {"direct", 2}, {"masked", 3}, {"shortcut", 4}};
  const auto calls = values_of(manifest, key::syscall);
  if (calls.empty())
    return {};
  const auto table = kernel.symbols.find(kCallTable);
  if (table == kernel.symbols.end())
    return Error{Failure::missing_symbol,
                 fmt::format("the kernel {} has no table of system calls", kernel.name),
                 "use a kernel profile with the gate (general), or leave the system calls as they are"};
  for (const auto& call : calls) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(call.data(), call.data() + call.size(), number);
    const auto kind = *end == ':' ? kinds.find(end + 1) : kinds.end();
    if (error != std::errc() || number >= UKL_GATE_CALLS || kind == kinds.end())
      return Error{Failure::internal, fmt::format("the manifest has a system call {}", call), ""};
    if (auto patched = patch_kernel(kernel, table->second + number, {&kind->second, 1}); !patched)
      return patched;
  }
  return {};
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
                         const Bytes& payload) {
  if (payload.empty())
    return Error{Failure::internal, "the payload is empty", ""};
  // Behind .bss and .brk, which the kernel's last segment ends with, and clear of the large pages that they
  // share.
  const auto address = align_up(kernel.memory_end, kLargePage);
  // QEMU sums up what it loads in an int, and the kernel's map ends 2 GiB behind its start.
  if (address + payload.size() > INT_MAX)
    return Error{Failure::usage,
                 fmt::format("the image would take {} MiB of memory before it runs, 2047 are possible",
                             (address + payload.size()) >> 20),
                 "leave files out, or put them on a volume (ukl run --volume)"};
  const auto note = make_note(encode_manifest(manifest));
  if (note.size() > kImageHead / 2)
    return Error{
        Failure::usage,
        fmt::format("arguments and environment take {} bytes, {} are possible", note.size(), kImageHead / 2),
        "put them in a file and add it with --file"};

  if (auto patched = patch_number(kernel, "phys_initrd_start", address); !patched)
    return patched;
  if (auto patched = patch_number(kernel, "phys_initrd_size", payload.size()); !patched)
    return patched;
  if (auto patched = patch_calls(kernel, manifest); !patched)
    return patched;
  const auto head = make_head(
      kernel, note, {PT_LOAD, PF_R, 0, kKernelMap + address, address, payload.size(), payload.size(), kPage});

  if (auto checked = check_output(path); !checked)
    return checked;
  auto file = AtomicFile::create(path, 0644);
  if (!file)
    return file.error();
  if (auto written = file->write(head); !written)
    return written;
  if (auto written = file->write(payload); !written)
    return written;
  if (interrupted())
    return Error{Failure::interrupted, "interrupted while writing the image; nothing was left behind", ""};
  return file->commit();
}

} // namespace ukl
