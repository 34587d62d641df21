// SPDX-License-Identifier: GPL-2.0-only
// In front of the PVH entry of a kernel that has no support for Xen, which would only crash there: Linux
// looks for Xen before it can say anything. On Xen it says what is missing, to the domain's console and to
// Xen's own, and stops; where there is no Xen it goes on to the kernel. Entered as the PVH entry is: 32-bit
// protected mode without paging, flat segments, interrupts off, no stack, and EBX is for the kernel (Xen:
// docs/misc/pvh.pandoc).
//
// Compiled as multiboot.cpp, and in one file with it.

// The second start in the file, at the multiple of 64 that src/image/multiboot.cpp names. The writer of the
// image fills in two numbers: the stack's end and the kernel's PVH entry.
asm(R"(
.section .start, "ax"
.balign 64
.globl xen_guard_start
xen_guard_start:
  mov $0, %esp
  .byte 0x68 # push, of four bytes
  .long 0
  cld
  call stop_on_xen
  ret
.previous
)");

namespace {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned;
using u64 = unsigned long long;

struct Registers {
  u32 a, b, c, d;
};

Registers cpuid(u32 leaf) {
  Registers result;
  asm volatile("cpuid" : "=a"(result.a), "=b"(result.b), "=c"(result.c), "=d"(result.d) : "a"(leaf), "c"(0));
  return result;
}

// Xen's leaves of CPUID begin at a multiple of 0x100, behind those of another hypervisor that it plays; 0: no
// Xen.
u32 xen_leaves() {
  constexpr u32 in_hypervisor = 1u << 31;
  if (!(cpuid(1).c & in_hypervisor))
    return 0;
  for (u32 leaf = 0x40000000; leaf <= 0x40000100; leaf += 0x100) {
    const Registers found = cpuid(leaf);
    if (found.b == 0x566e6558 && found.c == 0x65584d4d && found.d == 0x4d4d566e) // "XenVMMXenVMM"
      return leaf;
  }
  return 0;
}

// This code does not lie where it was linked, so a constant has no address that it knows: the call pushes it.
[[gnu::noinline]] const char* message() {
  const char* text = nullptr;
  asm("call 1f\n"
      ".asciz \"\\r\\nukl: the kernel of this image has no support for Xen, and cannot start here\\r\\n\"\n"
      "1: pop %0"
      : "=r"(text));
  return text;
}

// Memory of the kernel's, which nobody needs any more: Xen writes the instructions of its calls into this
// page.
constexpr u32 kCallPage = 0x200000;

u32 call(u32 number, u32 first, const volatile void* second) {
  u32 result = 0;
  asm volatile("call *%[entry]"
               : "=a"(result), "+b"(first), "+c"(second)
               : [entry] "r"(kCallPage + 32 * number)
               : "memory");
  return result;
}

// Xen's public/hvm/params.h, hvm_op.h, event_channel.h and io/console.h.
constexpr u32 kHvmOperation = 34, kGetParameter = 1, kConsolePage = 17, kConsoleEvent = 18;
constexpr u32 kEventOperation = 32, kSend = 4;
constexpr u16 kThisDomain = 0x7ff0;
struct Parameter {
  u16 domain, unused;
  u32 index;
  u64 value;
};
struct Console {
  u8 in[1024], out[2048];
  u32 in_taken, in_put, out_taken, out_put;
};

u32 parameter(u32 index) {
  volatile Parameter asked;
  asked.domain = kThisDomain;
  asked.unused = 0;
  asked.index = index;
  asked.value = 0;
  return call(kHvmOperation, kGetParameter, &asked) == 0 ? static_cast<u32>(asked.value) : 0;
}

void say_on_console(u32 leaves) {
  const u32 address = kCallPage;
  asm volatile("wrmsr" : : "c"(cpuid(leaves + 2).b), "a"(address), "d"(0) : "memory");
  const u32 page = parameter(kConsolePage);
  volatile u32 event = parameter(kConsoleEvent);
  if (page == 0)
    return;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a page that Xen names
  auto* console = reinterpret_cast<volatile Console*>(page << 12);
  u32 put = console->out_put;
  for (const char* text = message(); *text; ++text)
    console->out[put++ % sizeof console->out] = static_cast<u8>(*text);
  console->out_put = put;
  call(kEventOperation, kSend, &event);
}

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void stop_on_xen() {
  const u32 leaves = xen_leaves();
  if (leaves == 0)
    return;
  // What is written to this port is in `xl dmesg`, if Xen was started with guest_loglvl=all.
  for (const char* text = message(); *text; ++text)
    asm volatile("outb %0, $0xe9" : : "a"(*text));
  say_on_console(leaves);
  // With interrupts off and its only processor halted, Xen takes a domain for one that has switched itself
  // off.
  while (true)
    asm volatile("cli; hlt");
}
