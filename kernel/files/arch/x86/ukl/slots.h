/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The size of the direct entries, for the assembly in this folder. Not in <asm/ukl.h>: Linux's entry_64.S includes
 * that, and a symbol of the assembler's would be in its object file even where the option is off.
 */

/* How many slots there are besides one for each call: a first gap, those of ukl_shortcuts.h, ukl_direct_function. */
	.set	ukl_direct_others, 2
.macro UKL_COUNT_SLOT
	.set	ukl_direct_others, ukl_direct_others + 1
.endm
#define UKL_LEAF(nr, function)		UKL_COUNT_SLOT
#define UKL_SHORTCUT(nr, function)	UKL_COUNT_SLOT
#include <asm/ukl_shortcuts.h>
#define UKL_DIRECT_BYTES	((NR_syscalls + ukl_direct_others) * UKL_DIRECT_STRIDE)
