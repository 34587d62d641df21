// SPDX-License-Identifier: GPL-2.0-only
// What runs first in an image: hands a run's settings over to Linux, and gives the kernel another virtual
// address at each start, as Linux's decompressor does
// (arch/x86/boot/compressed: kaslr.c, misc.c), which an image has not. It runs between the loader, or the
// kernel's own PVH entry, and startup_64, which it replaces as the kernel's 64-bit entry: RSI is the physical
// address of boot_params, memory is mapped one to one, interrupts are off (Documentation/x86/boot.rst). What
// it leaves behind is the same, with the kernel changed to run at an address higher by the slide; where it
// lies in physical memory stays as it is.
//
// No library, no stack protector, no vector registers: nothing is set up yet.
#include "slide_parameters.hpp"

#include <cpuid.h>
#include <cstddef>

// At the start of the file (slide.lds). R12 to R15 survive the call by the psABI.
asm(R"(
.section .start, "ax"
.globl slide_start
slide_start:
  jmp 1f
  .balign 8
.globl slide_parameters
.hidden slide_parameters
slide_parameters:
  .skip 64
1:
  cli
  cld
  mov slide_parameters + 56(%rip), %rax
  lea )"
    "32768"
    R"((%rax), %rsp
  mov %rsi, %r12
  mov %rsi, %rdi
  call slide_kernel
  mov %r12, %rsi
  jmp *%rax
.previous
)");

static_assert(sizeof(ukl::SlideParameters) == 64 && offsetof(ukl::SlideParameters, scratch) == 56 &&
              ukl::kSlideScratch == 32768 && ukl::kSlideParametersOffset == 8);

extern "C" [[gnu::visibility("hidden")]] volatile const ukl::SlideParameters slide_parameters;

namespace {

using ukl::kSlideStep;

// arch/x86/include/uapi/asm/bootparam.h
constexpr std::size_t kLoadFlags = 0x211, kCommandLine = 0x228, kExtendedCommandLine = 0x0c8;
constexpr std::size_t kRamdisk = 0x218, kExtendedRamdisk = 0x0c0; // address; its size stands 4 bytes further
constexpr std::size_t kSetupData = 0x250;
constexpr std::uint8_t kKaslrFlag = 1 << 1; // "the kernel was moved": it then says where it is when it panics
constexpr std::size_t kLongestCommandLine = 2048; // COMMAND_LINE_SIZE, with its end

// The loader's page tables, or the kernel's own, may lie in what is about to change. These map 4 GiB one to
// one: four pages of 2 MiB entries, a page that names them, and one that names it.
void map_one_to_one(std::uint64_t scratch) {
  constexpr std::uint64_t present = 1, writable = 2, large = 1 << 7;
  auto* entries = reinterpret_cast<std::uint64_t*>(scratch);
  constexpr std::ptrdiff_t page = 512; // entries
  auto* middle = entries + 4 * page;
  auto* top = entries + 5 * page;
  for (std::uint64_t i = 0; i < std::uint64_t{4} * 512; ++i)
    entries[i] = i << 21 | present | writable | large;
  for (std::uint64_t i = 0; i < 512; ++i) {
    middle[i] = i < 4 ? (scratch + 4096 * i) | present | writable : 0;
    top[i] = i == 0 ? reinterpret_cast<std::uint64_t>(middle) | present | writable : 0;
  }
  asm volatile("mov %0, %%cr3" : : "r"(top) : "memory");
}

template <typename T> T load(std::uint64_t address) {
  T value;
  __builtin_memcpy(&value, reinterpret_cast<const void*>(address), sizeof value);
  return value;
}

template <typename T> void add_to(std::uint64_t address, T amount) {
  const T value = load<T>(address) + amount;
  __builtin_memcpy(reinterpret_cast<void*>(address), &value, sizeof value);
}

void store(std::uint64_t address, std::uint64_t value, std::size_t size) {
  __builtin_memcpy(reinterpret_cast<void*>(address), &value, size);
}

std::uint64_t load_halves(std::uint64_t low, std::uint64_t high) {
  return load<std::uint32_t>(low) | std::uint64_t{load<std::uint32_t>(high)} << 32;
}

// A ramdisk that holds a run's settings becomes a node of setup_data (include/ukl/run_settings.hpp), and
// Linux takes the image's own ramdisk. Any other one is left to Linux.
void hand_settings_over(std::uint64_t boot_parameters) {
  const auto address = load_halves(boot_parameters + kRamdisk, boot_parameters + kExtendedRamdisk);
  const auto size = load_halves(boot_parameters + kRamdisk + 4, boot_parameters + kExtendedRamdisk + 4);
  if (size < ukl::kSettingsHeader || address >= 1ull << 32 ||
      load<std::uint64_t>(address) != ukl::kSettingsMagic)
    return;
  store(address, load<std::uint64_t>(boot_parameters + kSetupData), 8);
  store(boot_parameters + kSetupData, address, 8);
  store(boot_parameters + kRamdisk, 0, 8);
  store(boot_parameters + kExtendedRamdisk, 0, 8);
}

bool is_space(char letter) {
  return static_cast<unsigned char>(letter) <= ' ';
}

// `nokaslr` as a word of its own, before any ` -- `.
bool is_switched_off(std::uint64_t boot_parameters) {
  const std::uint64_t address = load<std::uint32_t>(boot_parameters + kCommandLine) |
                                std::uint64_t{load<std::uint32_t>(boot_parameters + kExtendedCommandLine)}
                                    << 32;
  if (address == 0 || address >= 1ull << 32)
    return false;
  const auto* text = reinterpret_cast<const char*>(address);
  constexpr char word[] = "nokaslr";
  for (std::size_t at = 0; at < kLongestCommandLine && text[at];) {
    while (text[at] && is_space(text[at]))
      ++at;
    std::size_t same = 0, length = 0;
    for (; text[at] && !is_space(text[at]); ++at, ++length)
      if (same == length && same < sizeof word - 1 && text[at] == word[same])
        ++same;
    if (same == sizeof word - 1 && length == same)
      return true;
    if (length == 2 && text[at - 1] == '-' && text[at - 2] == '-')
      return false;
  }
  return false;
}

// The processor's random numbers where it has them; the time-stamp counter in any case, as
// kaslr_get_random_long (arch/x86/lib/kaslr.c) does, whose way to mix them this is.
std::uint64_t random_number(std::uint64_t boot_parameters) {
  std::uint64_t random = 0;
  for (std::size_t at = 0; at < 4096; at += 8) // boot_params: the memory map, and where the loader put things
    random = (random << 7 | random >> 57) ^ load<std::uint64_t>(boot_parameters + at);
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND))
    for (int attempts = 10; attempts > 0; --attempts) {
      std::uint64_t value = 0;
      bool good = false;
      asm volatile("rdrand %0" : "=r"(value), "=@ccc"(good));
      if (good) {
        random ^= value;
        break;
      }
    }
  random ^= __builtin_ia32_rdtsc();
  const auto product = static_cast<unsigned __int128>(random) * 0x5d6008cbf3848dd3;
  return static_cast<std::uint64_t>(product) + static_cast<std::uint64_t>(product >> 64);
}

// The next encoded place, as a distance from the one before.
std::uint64_t next_distance(std::uint64_t& at) {
  std::uint64_t distance = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = load<std::uint8_t>(at++);
    distance |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80)
      return distance;
  }
}

} // namespace

extern "C" [[gnu::visibility("hidden"), gnu::used]] std::uint64_t
slide_kernel(std::uint64_t boot_parameters) {
  *reinterpret_cast<volatile std::uint64_t*>(boot_parameters + ukl::kFirstMomentOffset) =
      __builtin_ia32_rdtsc();
  const auto& parameters = slide_parameters;
  const std::uint64_t entry = parameters.entry, start = parameters.start, positions = parameters.positions;
  map_one_to_one(parameters.scratch);
  hand_settings_over(boot_parameters);
  if (is_switched_off(boot_parameters))
    return entry;
  const auto chosen = static_cast<std::uint64_t>(
      static_cast<unsigned __int128>(random_number(boot_parameters)) * positions >> 64);
  const auto slide = chosen * kSlideStep;
  const auto slide32 = static_cast<std::uint32_t>(slide);

  std::uint64_t at = parameters.places, place = start;
  for (auto count = parameters.kinds[0]; count > 0; --count)
    add_to<std::uint64_t>(place += next_distance(at), slide);
  place = start;
  for (auto count = parameters.kinds[1]; count > 0; --count)
    add_to<std::uint32_t>(place += next_distance(at), slide32);
  place = start;
  for (auto count = parameters.kinds[2]; count > 0; --count)
    add_to<std::uint32_t>(place += next_distance(at), 0u - slide32);

  const auto flags = static_cast<std::uint8_t>(load<std::uint8_t>(boot_parameters + kLoadFlags) | kKaslrFlag);
  *reinterpret_cast<volatile std::uint8_t*>(boot_parameters + kLoadFlags) = flags;
  return entry;
}
