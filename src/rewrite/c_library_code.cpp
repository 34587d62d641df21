// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/c_library_code.hpp"

#include <algorithm>
#include <asm/unistd_64.h>
#include <iterator>

namespace ukl::rewrite {
namespace {

// `mov offset(%base),%to` with a one-byte offset or none, of 32 or 64 bits.
struct Load {
  unsigned to, base, offset;
};

std::optional<Load> as_load(const ElfView& elf, const Instruction& instruction) {
  auto bytes = elf.text_from(instruction.address).first(instruction.length);
  unsigned prefix = 0;
  if (bytes.size() > 2 && (bytes[0] & 0xf0) == 0x40) {
    prefix = bytes[0];
    bytes = bytes.subspan(1);
  }
  if (bytes.size() < 2 || bytes[0] != 0x8b)
    return std::nullopt;
  const unsigned mode = bytes[1] >> 6, low = bytes[1] & 7;
  if (low == 4 || (mode == 0 && low == 5) || mode > 1 || bytes.size() != 2 + mode)
    return std::nullopt;
  return Load{(bytes[1] >> 3 & 7u) | (prefix & 4) << 1, low | (prefix & 1) << 3, mode == 1 ? bytes[2] : 0u};
}

} // namespace

bool is_signal_return(const ElfView& elf, std::uint64_t site) {
  constexpr std::uint8_t kTrampoline[] = {0x48, 0xc7, 0xc0, __NR_rt_sigreturn, 0, 0, 0, 0x0f, 0x05};
  const auto bytes = elf.text_from(site - 7);
  return bytes.size() >= sizeof kTrampoline &&
         std::equal(std::begin(kTrampoline), std::end(kTrampoline), bytes.begin());
}

bool is_cancellation_point(const ElfView& elf, const std::vector<Instruction>& code, std::size_t site) {
  constexpr std::size_t kReach = 16; ///< instructions
  if (site + 1 >= code.size() || code[site + 1].flow != Flow::end)
    return false;
  for (auto i = site; i-- > (site > kReach ? site - kReach : 0);) {
    const auto bytes = elf.text_from(code[i].address);
    if (bytes.size() >= 3 && code[i].length == 2 && bytes[0] == 0x8b && bytes[1] == 0x07 &&
        (bytes[2] == 0x85 || bytes[2] == 0xa8 || bytes[2] == 0xa9 || bytes[2] == 0xf6))
      return true;
  }
  return false;
}

bool is_cancellation_name(std::string_view name) {
  return name == "__syscall_cp_asm" || name == "__cp_begin" || name == "__syscall_cancel_arch" ||
         name == "__syscall_cancel_arch_start";
}

std::vector<std::uint32_t> identity_change_numbers(const ElfView& elf, const std::vector<Instruction>& code,
                                                   std::size_t site) {
  constexpr unsigned kRax = 0, kRdx = 2, kRsi = 6, kRdi = 7;
  if (site < 4)
    return {};
  unsigned found = 0, base = 16;
  for (auto i = site - 4; i < site; ++i) {
    const auto load = as_load(elf, code[i]);
    if (!load || (base != 16 && load->base != base))
      return {};
    base = load->base;
    if (load->to == kRax && load->offset == 0)
      found |= 1;
    else if (load->to == kRdi && load->offset == 8)
      found |= 2;
    else if (load->to == kRsi && load->offset == 16)
      found |= 4;
    else if (load->to == kRdx && load->offset == 24)
      found |= 8;
  }
  if (found != 15)
    return {};
  return {__NR_setuid,    __NR_setgid,    __NR_setreuid, __NR_setregid,
          __NR_setgroups, __NR_setresuid, __NR_setresgid};
}

} // namespace ukl::rewrite
