/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux's own layout of the kernel without its gaps (CONFIG_UKL_DENSE). Linux puts the code of entries, the
 * constants and the data at multiples of 2 MiB, so that they are mapped by large pages: 6 MiB of gaps for
 * 4 MiB of kernel. Here the linker script sees pages of 4 KiB in their place; everything else is Linux's.
 * Each part still has pages of its own, so that what is read-only stays read-only. The price is that the
 * kernel's mapping is split into small pages when its protection is set.
 *
 * ukl kernel build names this script in KBUILD_LDS.
 */
#include <asm/page_types.h>
#include <asm/pgtable_types.h>
#undef PMD_SIZE
#undef HPAGE_SIZE
#define PMD_SIZE PAGE_SIZE
#define HPAGE_SIZE PAGE_SIZE

#include "../kernel/vmlinux.lds.S"
