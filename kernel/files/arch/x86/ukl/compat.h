/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the releases of Linux that this folder is built with, 6.1 and 6.12. The code uses the newer
 * names; this file alone asks which release it is.
 */
#ifndef _UKL_COMPAT_H
#define _UKL_COMPAT_H

#include <linux/version.h>

#ifdef __ASSEMBLY__

/* The current task and the end of its stack: variables of their own, or parts of one (asm/current.h). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define UKL_TOP_OF_STACK	PER_CPU_VAR(cpu_current_top_of_stack)
#define UKL_CURRENT		PER_CPU_VAR(current_task)
#else
#define UKL_TOP_OF_STACK	PER_CPU_VAR(pcpu_hot + X86_top_of_stack)
#define UKL_CURRENT		PER_CPU_VAR(pcpu_hot + X86_current_task)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
.macro UNWIND_HINT_END_OF_STACK
	UNWIND_HINT_EMPTY
.endm
#endif

#else /* __ASSEMBLY__ */

#include <linux/file.h>
#include <linux/uio.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)
#define fd_file(descriptor)	((descriptor).file)
#define EMPTY_FD		((struct fd) {})
#define BORROWED_FD(borrowed)	((struct fd) { .file = (borrowed) })
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
static inline int import_ubuf(unsigned int direction, void __user *buffer, size_t size, struct iov_iter *iter)
{
	size = min_t(size_t, size, MAX_RW_COUNT);
	if (unlikely(!access_ok(buffer, size)))
		return -EFAULT;
	iov_iter_ubuf(iter, direction, buffer, size);
	return 0;
}
#endif

#endif /* __ASSEMBLY__ */

#endif /* _UKL_COMPAT_H */
