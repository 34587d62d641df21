/* SPDX-License-Identifier: GPL-2.0-only */
/* The gate page. The kernel builds with the same file, so the one description of it lies in the kernel part. */
#include "../../kernel/files/arch/x86/include/asm/ukl_gate.h"
