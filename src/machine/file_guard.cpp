// SPDX-License-Identifier: GPL-2.0-only
#include "machine/file_guard.hpp"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace ukl {
namespace {

// Later than glibc's headers know it.
constexpr std::uint32_t kFchmodat2 = 452;
constexpr std::uint32_t kFirstX32Call = 0x40000000;

// Each rule stands for itself: it begins with the call's number in the accumulator and leaves it there if it
// does not apply. So its jumps never leave it, and eight bits are enough for them.
class FilterBuilder {
public:
  FilterBuilder() {
    load(offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    give(SECCOMP_RET_KILL_PROCESS);
    load(offsetof(seccomp_data, nr));
    add(BPF_JMP | BPF_JGE | BPF_K, kFirstX32Call, 0, 1);
    give(SECCOMP_RET_ERRNO | ENOSYS);
  }

  /// The call has this result, whatever its arguments: an errno, or 0 for success.
  void answer(std::uint32_t call, std::uint32_t error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    give(SECCOMP_RET_ERRNO | error);
  }

  /// It fails if any of these bits is set in argument `index`.
  void refuse_bits(std::uint32_t call, unsigned index, std::uint32_t bits, std::uint32_t error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load_argument(index);
    add(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    give(SECCOMP_RET_ERRNO | error);
    load(offsetof(seccomp_data, nr));
  }

  /// It fails if the bits `mask` of argument `index` are `value`.
  void refuse_value(std::uint32_t call, unsigned index, std::uint32_t mask, std::uint32_t value,
                    std::uint32_t error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 5);
    load_argument(index);
    add(BPF_ALU | BPF_AND | BPF_K, mask);
    add(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    give(SECCOMP_RET_ERRNO | error);
    load(offsetof(seccomp_data, nr));
  }

  /// It fails if a bit of `first` is set in argument `index` and a bit of `second` in the argument after it.
  void refuse_both(std::uint32_t call, unsigned index, std::uint32_t first, std::uint32_t second,
                   std::uint32_t error) {
    add(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 6);
    load_argument(index);
    add(BPF_JMP | BPF_JSET | BPF_K, first, 0, 3);
    load_argument(index + 1);
    add(BPF_JMP | BPF_JSET | BPF_K, second, 0, 1);
    give(SECCOMP_RET_ERRNO | error);
    load(offsetof(seccomp_data, nr));
  }

  std::vector<sock_filter> finish() {
    give(SECCOMP_RET_ALLOW);
    return std::move(filter_);
  }

private:
  void add(unsigned code, std::uint32_t value, std::uint8_t if_true = 0, std::uint8_t if_false = 0) {
    filter_.push_back({static_cast<std::uint16_t>(code), if_true, if_false, value});
  }
  void load(std::size_t offset) { add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)); }
  // The lower half of it: modes and flags have 32 bits, and the kernel looks at no more.
  void load_argument(unsigned index) { load(offsetof(seccomp_data, args) + 8UL * index); }
  void give(std::uint32_t result) { add(BPF_RET | BPF_K, result); }

  std::vector<sock_filter> filter_;
};

constexpr std::uint32_t kCreates = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);
constexpr std::uint32_t kSetId = S_ISUID | S_ISGID;

void forbid_power(FilterBuilder& filter) {
  filter.refuse_bits(SYS_chmod, 1, kSetId, EPERM);
  filter.refuse_bits(SYS_fchmod, 1, kSetId, EPERM);
  filter.refuse_bits(SYS_fchmodat, 2, kSetId, EPERM);
  filter.refuse_bits(kFchmodat2, 2, kSetId, EPERM);
  filter.refuse_bits(SYS_creat, 1, kSetId, EPERM);
  // Without O_CREAT the mode's register holds anything.
  filter.refuse_both(SYS_open, 1, kCreates, kSetId, EPERM);
  filter.refuse_both(SYS_openat, 2, kCreates, kSetId, EPERM);
  for (const auto& [call, index] : {std::pair(SYS_mknod, 1u), std::pair(SYS_mknodat, 2u)}) {
    filter.refuse_bits(call, index, kSetId, EPERM);
    filter.refuse_value(call, index, S_IFMT, S_IFCHR, EPERM);
    filter.refuse_value(call, index, S_IFMT, S_IFBLK, EPERM);
  }
  // These take their modes where a filter cannot look.
  for (const auto call : {SYS_openat2, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register})
    filter.answer(call, ENOSYS);
}

void forbid_changes(FilterBuilder& filter) {
  // A lock needs a descriptor that can write; pwrite and its like are what writes to it. (write and writev
  // stay: events and messages need them.)
  for (const auto& [call, index] : {std::pair(SYS_open, 1u), std::pair(SYS_openat, 2u)}) {
    filter.refuse_bits(call, index, kCreates | O_TRUNC, EROFS);
    filter.refuse_value(call, index, O_ACCMODE, O_WRONLY, EROFS);
  }
  for (const auto call :
       {SYS_creat,     SYS_pwrite64,    SYS_pwritev,      SYS_pwritev2,    SYS_copy_file_range,
        SYS_truncate,  SYS_ftruncate,   SYS_fallocate,    SYS_rename,      SYS_renameat,
        SYS_renameat2, SYS_mkdir,       SYS_mkdirat,      SYS_rmdir,       SYS_unlink,
        SYS_unlinkat,  SYS_link,        SYS_linkat,       SYS_symlink,     SYS_symlinkat,
        SYS_mknod,     SYS_mknodat,     SYS_chmod,        SYS_fchmod,      SYS_fchmodat,
        SYS_chown,     SYS_fchown,      SYS_lchown,       SYS_fchownat,    SYS_utime,
        SYS_utimes,    SYS_futimesat,   SYS_utimensat,    SYS_setxattr,    SYS_lsetxattr,
        SYS_fsetxattr, SYS_removexattr, SYS_lremovexattr, SYS_fremovexattr})
    filter.answer(static_cast<std::uint32_t>(call), EROFS);
  filter.answer(kFchmodat2, EROFS);
}

} // namespace

std::vector<sock_filter> file_guard_filter(const FileGuard& guard) {
  FilterBuilder filter;
  if (guard.read_only)
    forbid_changes(filter);
  forbid_power(filter);
  if (guard.keep_groups)
    filter.answer(SYS_setgroups, 0);
  return filter.finish();
}

int enter_file_guard(const std::vector<sock_filter>& filter) {
  const sock_fprog program = {static_cast<unsigned short>(filter.size()),
                              const_cast<sock_filter*>(filter.data())};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) != 0)
    return errno;
  return 0;
}

} // namespace ukl
