// SPDX-License-Identifier: GPL-2.0-only
#include "calls/known_libraries.hpp"

#include <algorithm>
#include <asm/unistd_64.h>

namespace ukl::rewrite {
namespace {

struct KnownLibrary {
  std::string_view soname;
  std::vector<std::uint32_t> numbers;
};

const std::vector<KnownLibrary>& known_libraries() {
  static const std::vector<KnownLibrary> list = {
      // libcap/cap_proc.c: `multithread` and `singlethread` hold _cap_syscall3 and _cap_syscall6, called
      // through these with SYS_capset, SYS_prctl, SYS_setuid, SYS_setgid, SYS_setgroups and SYS_chroot. A
      // program can put other functions there (cap_set_syscall), not other numbers.
      {"libcap.so.2",
       {__NR_capset, __NR_prctl, __NR_setuid, __NR_setgid, __NR_setgroups, __NR_chroot, __NR_setreuid,
        __NR_setregid, __NR_setresuid, __NR_setresgid}},
      // src/system.c: `_nr_seccomp` is a variable that only sys_set_seccomp_syscall changes (for 32-bit
      // machines and tests). It starts as the seccomp call's number.
      {"libseccomp.so.2", {__NR_seccomp, __NR_prctl}},
  };
  return list;
}

} // namespace

const std::vector<std::uint32_t>* known_library_calls(std::string_view soname) {
  for (const auto& library : known_libraries())
    if (library.soname == soname)
      return &library.numbers;
  return nullptr;
}

} // namespace ukl::rewrite
