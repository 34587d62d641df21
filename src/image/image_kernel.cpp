// SPDX-License-Identifier: GPL-2.0-only
#include "image/image_kernel.hpp"
#include "elf/view.hpp"
#include "image/kernel_slide.hpp"
#include "image/multiboot.hpp"
#include "image/pvh_entry.hpp"
#include "image/write.hpp"
#include "support/mapped_file.hpp"

#include <climits>
#include <fmt/format.h>

namespace ukl {
namespace {

Result<Kernel> users_kernel(const std::filesystem::path& vmlinux) {
  TRY_LET(const auto file, MappedFile::open(vmlinux));
  const auto bytes = file.bytes();
  // Before all of it is read for its hash.
  TRY(rewrite::ElfView::parse(bytes, vmlinux.string(), rewrite::kAllAddresses));
  if (bytes.size() > INT_MAX)
    return Error{Failure::unreadable,
                 fmt::format("{} is too large for a kernel: {} MiB", vmlinux.string(), bytes.size() >> 20),
                 "name a vmlinux"};
  return Kernel{"custom", sha256_hex(bytes).substr(0, 16), vmlinux, {}, {}};
}

} // namespace

Result<ImageKernel> find_image_kernel(const std::string& profile, const std::filesystem::path& vmlinux) {
  ImageKernel found;
  TRY_LET(found.kernel, vmlinux.empty() ? find_kernel(profile) : users_kernel(vmlinux));
  TRY_LET(found.elf, read_kernel_elf(found.kernel.vmlinux, kKernelSymbols));
  stay_in_place(found.elf);
  found.gate = found.elf.symbols.contains(kCallTable);
  TRY_LET(const auto relocations, read_kernel_relocations(found.kernel.vmlinux));
  TRY_LET(found.positions, let_slide(found.elf, relocations));
  if (found.positions == 1)
    found.obstacle =
        relocations.obstacle.empty() ? "it is too large, or has no PVH entry" : relocations.obstacle;
  // GRUB wants the file's entry in a segment by its virtual address, as that of the code that moves the
  // kernel is.
  if (found.positions > 1)
    found.elf.multiboot_entry = let_multiboot(found.elf);
  return found;
}

} // namespace ukl
