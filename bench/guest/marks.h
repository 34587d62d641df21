/* SPDX-License-Identifier: GPL-2.0-only */
/* Instructions that do nothing but tell the profile plugin where the measured part begins and ends. */
#ifndef UKL_BENCH_MARKS_H
#define UKL_BENCH_MARKS_H

#define UKL_BENCH_MARK_BEGIN 0x6b6c7501
#define UKL_BENCH_MARK_END 0x6b6c7502

/* nopl MARK(%rax) */
#define UKL_BENCH_MARK(mark) __asm__ volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0" ::"i"(mark) : "memory")

#endif
