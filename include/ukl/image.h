/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that an image's kernel does not copy. The kernel's own header says what they are. */
#ifndef UKL_INCLUDE_IMAGE_H
#define UKL_INCLUDE_IMAGE_H

#include "../../kernel/files/arch/x86/include/asm/ukl_image.h"

#endif
