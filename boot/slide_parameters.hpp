// SPDX-License-Identifier: GPL-2.0-only
// What the image writer tells the code that moves the kernel (slide.cpp). The code's file is
// position-independent and begins with these, behind eight bytes that jump over them; all addresses are
// physical.
#pragma once

#include <cstdint>

namespace ukl {

struct SlideParameters {
  std::uint64_t start;     ///< where the kernel lies, and from where places are counted
  std::uint64_t entry;     ///< its startup_64
  std::uint64_t positions; ///< how many slides there are: 0, kSlideStep, 2 · kSlideStep …
  std::uint64_t places;    ///< the encoded places: those of kinds[0], then of kinds[1], then of kinds[2]
  std::uint64_t kinds[3];  ///< how many: 64-bit addresses, 32-bit addresses, and 32-bit distances from an
                           ///< address to what does not move (these lose the slide)
  std::uint64_t scratch;   ///< kSlideScratch bytes of memory on a page's start, for page tables and a stack
};

/// Bytes from the start of the code's file to the parameters.
inline constexpr std::uint64_t kSlideParametersOffset = 8;
/// CONFIG_PHYSICAL_ALIGN: the kernel is mapped by pages of this size, bytes.
inline constexpr std::uint64_t kSlideStep = 2 << 20;
inline constexpr std::uint64_t kSlideScratch = 8 * 4096;

/// In boot_params (arch/x86/include/uapi/asm/bootparam.h, _pad4), which Linux shows to root: the time-stamp
/// counter when this code began, 8 bytes. init/boot_times.cpp reads it.
inline constexpr std::uint64_t kFirstMomentOffset = 0x0d0;

/// RunSettingsHeader of include/ukl/run_settings.hpp, which this code cannot include: its bytes and its
/// magic.
inline constexpr std::uint64_t kSettingsHeader = 16;
inline constexpr std::uint64_t kSettingsMagic = 0x314e55524c4b55;

// A place is stored as its distance from the one before it, or from the kernel's start, in as few bytes as it
// takes: seven bits each, the lowest first, and the highest bit says that another follows (LEB128).

} // namespace ukl
