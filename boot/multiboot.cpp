// SPDX-License-Identifier: GPL-2.0-only
// From a Multiboot2 loader, as GRUB is, to the kernel's PVH entry: says what the one has said in the words of
// the other. 32-bit code: the loader enters in protected mode without paging, with flat segments, interrupts
// off and no stack; EAX is kMagic and EBX the address of its information (Multiboot2 Specification 2.0, 3.3
// and 3.6). The PVH entry wants the same but for EBX, the address of an hvm_start_info (Linux:
// include/xen/interface/hvm/start_info.h).
//
// Compiled with -m32, for which Debian's compiler has no headers without further packages: none is included.

// At the start of the file (slide.lds). The writer of the image fills in the three numbers, at the offsets
// that src/image/multiboot.cpp names: the stack's end, the place for the hvm_start_info, the PVH entry.
asm(R"(
.section .start, "ax"
.globl multiboot_start
multiboot_start:
  mov $0, %esp
  mov $0, %edi
  .byte 0x68 # push, of four bytes
  .long 0
  cld
  push %ebx
  push %eax
  push %edi
  call translate
  add $12, %esp
  mov %edi, %ebx
  ret
.previous
)");

namespace {

using u32 = unsigned;
using u64 = unsigned long long;

constexpr u32 kMagic = 0x36d76289, kStartMagic = 0x336ec578;

struct StartInfo {
  u32 magic, version, flags, modules;
  u64 module_list, command_line, rsdp, memory_map;
  u32 memory_map_entries, reserved;
};
static_assert(sizeof(StartInfo) == 56);

struct Tag {
  u32 type, size;
};
enum : u32 { kEnd = 0, kCommandLine = 1, kMemoryMap = 6, kOldRsdp = 14, kNewRsdp = 15 };

// Both name memory by address, size and type in entries of this size, and the types are the same.
constexpr u32 kEntrySize = 24;

u32 load(u32 address) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader speaks of memory by addresses
  return *reinterpret_cast<const volatile u32*>(address);
}

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void translate(StartInfo* start, u32 magic,
                                                                   u32 information) {
  // Nobody could be told: no device is known here.
  while (magic != kMagic)
    asm volatile("hlt");
  start->magic = kStartMagic;
  start->version = 1;
  start->flags = start->modules = start->memory_map_entries = start->reserved = 0;
  start->module_list = start->command_line = start->rsdp = start->memory_map = 0;
  const u32 end = information + load(information);
  for (u32 at = information + 8; at < end && load(at) != kEnd; at += (load(at + 4) + 7) & ~7u) {
    const u32 type = load(at), size = load(at + 4);
    if (size < sizeof(Tag))
      break;
    if (type == kCommandLine)
      start->command_line = at + 8;
    if (type == kOldRsdp || type == kNewRsdp)
      start->rsdp = at + 8;
    if (type == kMemoryMap && load(at + 8) == kEntrySize) {
      start->memory_map = at + 16;
      start->memory_map_entries = (size - 16) / kEntrySize;
    }
  }
}
