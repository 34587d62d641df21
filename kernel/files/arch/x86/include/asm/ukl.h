/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs in ring 0: what C and assembly share.
 */
#ifndef _ASM_X86_UKL_H
#define _ASM_X86_UKL_H

#include <asm/ukl_gate.h>

/* Set when "ukl=on" was given: a bit of cpufeatures.h's last word that Linux does not use. */
#define X86_FEATURE_UKL		(21*32 + 31)

/*
 * The two entries of the TSS's IST that Linux leaves free, as an index into tss.ist[] (a gate's IST field is one
 * more): device and system interrupts take the one, exceptions the other, so that an exception that hits while an
 * interrupt is being taken finds a stack of its own.
 */
#define UKL_IST_INTERRUPT	5
#define UKL_IST_EXCEPTION	6

/* Bytes of one of these stacks: an iret frame, an error code, one saved register, rounded up. */
#define UKL_STACK_SIZE		128

/* X86_PF_USER of <asm/trap_pf.h>, which assembly cannot include; setup.c compares the two. */
#define UKL_PF_USER	4

/*
 * Direct entries (gate.S) have slots of this many bytes, so that an interrupt can find the beginning of the way back
 * of the one it hit: it is UKL_DIRECT_EXIT bytes from the slot's start. The assembler puts each entry as far before
 * that as the entry is long, and refuses what does not fit. (128 would make the comparison in entry.S longer.)
 */
#define UKL_DIRECT_STRIDE	256
#define UKL_DIRECT_EXIT		112
#define UKL_FULL_STRIDE		16

/* Flags that the program may set and that must not go into the kernel: trapped.c, and UKL_CLEAN_FLAGS in gate.S. */
#define UKL_ODD_FLAGS		(X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_ID)
/* Of thread_info.syscall_work, far from those of Linux: the thread has one of these flags. */
#define UKL_ODD_FLAGS_WORK_BIT	63

/* Offsets in task_struct, whose first member is thread_info; gate_page.c compares. */
#define UKL_TASK_FLAGS		0
#define UKL_TASK_SYSCALL_WORK	8

/* What a direct entry must not go back with: EXIT_TO_USER_MODE_WORK and what arch_exit_to_user_mode_prepare does. */
#define UKL_EXIT_WORK		(_TIF_SIGPENDING | _TIF_NOTIFY_RESUME | _TIF_UPROBE | _TIF_NEED_RESCHED | \
				 _TIF_PATCH_PENDING | _TIF_NOTIFY_SIGNAL | _TIF_NEED_FPU_LOAD | \
				 _TIF_USER_RETURN_NOTIFY | _TIF_IO_BITMAP)

#ifdef __ASSEMBLY__

/* Linux's one way back to user mode starts with this (entry_64.S). */
.macro UKL_RETURN_TO_PROGRAM
#ifdef CONFIG_UKL
	ALTERNATIVE "", "jmp ukl_return_to_program", X86_FEATURE_UKL
#endif
.endm

#else /* __ASSEMBLY__ */

struct pt_regs;

/* One pair per Linux entry point that has a twin of ours (entry.S fills the table, setup.c reads it). */
struct ukl_vector {
	unsigned long linux_entry;
	unsigned long ukl_entry;
};

/*
 * What interrupted programs and interrupted kernel code are first saved on, per CPU. `moved` is where an NMI, #DB
 * or #MC puts the other two aside (see ukl_move_aside in entry.S), one place for each of the three.
 */
struct ukl_stacks {
	char interrupt[UKL_STACK_SIZE];
	char exception[UKL_STACK_SIZE];
	char moved[3][2 * UKL_STACK_SIZE];
};

void ukl_entry_SYSCALL_64(void);
void ukl_bad_frame(struct pt_regs *regs);
void ukl_syscall(struct pt_regs *regs, int nr);
void ukl_load_fpu(void);
void ukl_indexed(void);
void ukl_step_out_of_gate(struct pt_regs *regs);
void __init ukl_make_gate(void);
bool __init ukl_traces_calls(void);
void __init ukl_mask_call(unsigned int nr);
void ukl_invalid_op(struct pt_regs *regs);
void ukl_common_interrupt(struct pt_regs *regs, unsigned long error_code);
void ukl_spurious_interrupt(struct pt_regs *regs, unsigned long error_code);

long ukl_getpid(void);
long ukl_getppid(void);
long ukl_gettid(void);
long ukl_read(const struct pt_regs *regs);
long ukl_write(const struct pt_regs *regs);
long ukl_tcp_read(const struct pt_regs *regs);
long ukl_tcp_write(const struct pt_regs *regs);
long ukl_writev(const struct pt_regs *regs);
long ukl_sendto(const struct pt_regs *regs);
long ukl_recvfrom(const struct pt_regs *regs);
long ukl_sendmsg(const struct pt_regs *regs);

extern char ukl_full_0[], ukl_direct_function[];
extern const unsigned long ukl_direct_entries[];

/* Declares the entries of ukl_shortcuts.h in gate.S. */
#define UKL_LEAF(nr, function)		extern char ukl_entry_##function[];
#define UKL_SHORTCUT(nr, function)	UKL_LEAF(nr, function)
#include <asm/ukl_shortcuts.h>

extern char ukl_irq_entries_start[], ukl_spurious_entries_start[];
extern const struct ukl_vector ukl_vectors[], ukl_vectors_end[];

#endif /* __ASSEMBLY__ */
#endif /* _ASM_X86_UKL_H */
