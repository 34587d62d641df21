// SPDX-License-Identifier: GPL-2.0-only
// Code of C libraries that has a special meaning, known by its bytes because libraries are stripped.
#pragma once

#include "rewrite/decode.hpp"

namespace ukl::rewrite {

/// `mov $15,%rax; syscall`: __restore_rt, by exactly the bytes that unwinders look for (gcc,
/// libgcc/config/i386/linux-unwind.h; gdb, amd64-linux-tdep.c), whatever the code around it seems to be.
bool is_signal_return(const ElfView& elf, std::uint64_t site);

/// C libraries that cancel a thread look whether it stands between the check of its flag and the system call:
///     mov (%rdi),%eax; test …,%al; jne …; (moves); syscall; ret
/// (musl's __syscall_cp_asm, glibc's __syscall_cancel_arch from 2.41). A thread in a stub would stand
/// elsewhere. `site`: index into `code`.
bool is_cancellation_point(const ElfView& elf, const std::vector<Instruction>& code, std::size_t site);

/// The same by the name of the function.
bool is_cancellation_name(std::string_view name);

/// glibc makes a thread change its identity together with all others by a command in memory
/// (nptl/nptl_setxid.c, struct xid_command): the number, then three arguments. These are the numbers of all
/// such calls, or nothing if the site is another.
std::vector<std::uint32_t> identity_change_numbers(const ElfView& elf, const std::vector<Instruction>& code,
                                                   std::size_t site);

} // namespace ukl::rewrite
