/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls as function calls: what the gate page's pointers lead to. <asm/ukl_gate.h> says what a caller may
 * rely on.
 *
 * A full entry builds all of pt_regs and does what the SYSCALL instruction's path does. A direct entry saves only
 * what the kernel function may change, calls it, and goes back if the thread has no work to do first. Both keep
 * interrupts on from beginning to end: before RSP is the kernel's, and after it is the program's again, an
 * interrupt counts as the program's and resumes where it was.
 */
#include <linux/linkage.h>
#include <asm/asm-offsets.h>
#include <asm/errno.h>
#include <asm/frame.h>
#include <asm/percpu.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/thread_info.h>
#include <asm/unistd.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>
#include <asm/ukl.h>

#include "../entry/calling.h"
#include "compat.h"
#include "slots.h"

.text

/*
 * The flags that the SYSCALL instruction clears (MSR_SYSCALL_MASK) and Linux does not: DF turns its string
 * instructions round, with NT no iretq goes back, and all stay set in the task that this one is switched to.
 * In: flags in \flags. Clobbers what stands in the flags.
 */
.macro UKL_CLEAN_FLAGS flags:req
	testl	$(X86_EFLAGS_DF | UKL_ODD_FLAGS), \flags
	jz	.Lclean_\@
	pushq	$(X86_EFLAGS_FIXED | X86_EFLAGS_IF)
	popfq
.Lclean_\@:
.endm

/*
 * The beginning of every direct entry: onto the task's stack, below a pt_regs of which only what is needed is filled
 * in; the rest is written when somebody is going to look (ukl_direct_slow).
 * On entry: IRQs on, kernel GS, the program's stack (its red zone in use), RCX = return address, arguments in RDI,
 * RSI, RDX, R10, R8, R9. Only RAX, RCX and R11 are free. Interrupted before RSP is loaded, the program is resumed
 * there, perhaps on another CPU: the per-CPU values read are this task's own, whatever the CPU. After that it is
 * ordinary kernel code on the task's stack.
 */
.macro UKL_DIRECT_ENTER
	UNWIND_HINT_END_OF_STACK
	movq	%rsp, %r11
	movq	UKL_TOP_OF_STACK, %rsp
	subq	$PTREGS_SIZE, %rsp
	movq	%r11, RSP(%rsp)
	movq	%rcx, RIP(%rsp)
.endm

/*
 * A thread that is traced, filtered or audited, or has odd flags (trapped.c), takes the full way: back to the
 * program's stack, and there.
 */
.macro UKL_DIRECT_CHECK nr traced
	movq	UKL_CURRENT, %rax
	cmpq	$0, UKL_TASK_SYSCALL_WORK(%rax)
	movq	$\nr, ORIG_RAX(%rsp)
	jne	\traced
.endm

.macro UKL_SAVE_ARGUMENTS
	movq	%rdi, RDI(%rsp)
	movq	%rsi, RSI(%rsp)
	movq	%rdx, RDX(%rsp)
	movq	%r10, R10(%rsp)
	movq	%r8, R8(%rsp)
	movq	%r9, R9(%rsp)
.endm

/*
 * The way back, from its first instruction to the jump, is restarted when an interrupt hits it on the kernel's
 * stack (entry.S, UKL_RESTART_EXIT): whatever work the interrupt left is then seen by the test. RAX holds the
 * result and stays; what is overwritten here is not read again. So no cli is needed between the last test and
 * being the program.
 */
.macro UKL_DIRECT_LEAVE name work restore:req
	/* The assembler stops here if UKL_SLOT has not placed this right, an entry longer than UKL_DIRECT_EXIT included. */
	.org	.Lslot_\name + UKL_DIRECT_EXIT
SYM_INNER_LABEL(ukl_direct_exit_\name, SYM_L_GLOBAL)
	movq	UKL_CURRENT, %rcx
	testl	$UKL_EXIT_WORK, UKL_TASK_FLAGS(%rcx)
	jnz	\work
	.if \restore
	movq	RDI(%rsp), %rdi
	movq	RSI(%rsp), %rsi
	movq	RDX(%rsp), %rdx
	movq	R10(%rsp), %r10
	movq	R8(%rsp), %r8
	movq	R9(%rsp), %r9
	.endif
	movq	RIP(%rsp), %rcx
	movq	RSP(%rsp), %rsp
	ANNOTATE_RETPOLINE_SAFE
	jmp	*%rcx
.endm

/* Begins a slot, and in it the entry \entry, such that its way back begins UKL_DIRECT_EXIT bytes into the slot. */
.macro UKL_SLOT name entry
	.balign	UKL_DIRECT_STRIDE, 0xcc
.Lslot_\name:
	.skip	UKL_DIRECT_EXIT - (ukl_direct_exit_\name - \entry), 0xcc
.endm

/* The direct entry \name of system call \nr, answered by \function(pt_regs). */
.macro UKL_DIRECT_NAMED name nr function
	UKL_SLOT \name ukl_direct_\name
SYM_CODE_START_NOALIGN(ukl_direct_\name)
	UKL_DIRECT_ENTER
	UKL_DIRECT_CHECK \nr .Ltraced_\name
	cld
	UKL_SAVE_ARGUMENTS
	movq	%rsp, %rdi
	call	\function
	UKL_DIRECT_LEAVE \name .Lwork_\name 1
.Ltraced_\name:
	movq	%r11, %rsp
	jmp	ukl_full_0 + UKL_FULL_STRIDE * \nr
.Lwork_\name:
	jmp	ukl_direct_work
SYM_CODE_END(ukl_direct_\name)
.endm

.macro UKL_DIRECT nr function
	UKL_DIRECT_NAMED \nr \nr \function
	.pushsection .init.rodata, "a"
	.quad	ukl_direct_\nr
	.popsection
.endm

	.balign	UKL_DIRECT_STRIDE, 0xcc
.Ldirect_begin:
SYM_CODE_START_NOALIGN(ukl_direct_begin)
	UNWIND_HINT_END_OF_STACK
	int3
SYM_CODE_END(ukl_direct_begin)

	.pushsection .init.rodata, "a"
	.balign	8
SYM_DATA_START(ukl_direct_entries)
	.popsection

/* Two of them have a shorter way of ours (transfer.c). */
#define __x64_sys_read	ukl_read
#define __x64_sys_write	ukl_write
#define __SYSCALL(nr, function)	UKL_DIRECT nr, __x64_##function
/* Where Linux marks the calls that do not return: they go the full way always (gate_page.c). */
#define __SYSCALL_NORETURN(nr, function)	.pushsection .init.rodata, "a"; .quad 0; .popsection;
#include <asm/syscalls_64.h>
#undef __SYSCALL_NORETURN
#undef __SYSCALL

	.pushsection .init.rodata, "a"
SYM_DATA_END(ukl_direct_entries)
	.popsection

/* Shortcuts: the same, with a function of ours. */
.macro UKL_SHORTCUT_ENTRY nr function
	UKL_DIRECT_NAMED \function \nr \function
	.set	ukl_entry_\function, ukl_direct_\function
	.globl	ukl_entry_\function
.endm

/* Leaf calls: the function keeps all registers but RAX, so they are saved only where there is work to do. */
.macro UKL_LEAF_ENTRY nr function
	UKL_SLOT \function ukl_entry_\function
SYM_CODE_START_NOALIGN(ukl_entry_\function)
	UKL_DIRECT_ENTER
	UKL_DIRECT_CHECK \nr .Ltraced_\function
	call	\function
	UKL_DIRECT_LEAVE \function .Lwork_\function 0
.Ltraced_\function:
	movq	%r11, %rsp
	jmp	ukl_full_0 + UKL_FULL_STRIDE * \nr
.Lwork_\function:
	UKL_SAVE_ARGUMENTS
	jmp	ukl_direct_work
SYM_CODE_END(ukl_entry_\function)
.endm

#define UKL_LEAF(nr, function)		UKL_LEAF_ENTRY nr, function
#define UKL_SHORTCUT(nr, function)	UKL_SHORTCUT_ENTRY nr, function
#include <asm/ukl_shortcuts.h>

/*
 * Any kernel function, its address in RAX (<asm/ukl_gate.h>, UKL_GATE_FUNCTION). orig_ax says that there is no
 * system call to restart. The way back is the one ukl_direct_work uses for all entries.
 */
	UKL_SLOT function ukl_direct_function
SYM_CODE_START_NOALIGN(ukl_direct_function)
	UKL_DIRECT_ENTER
	movq	$-1, ORIG_RAX(%rsp)
	cld
	UKL_SAVE_ARGUMENTS
	movq	%r10, %rcx
	ANNOTATE_RETPOLINE_SAFE
	call	*%rax
	UKL_DIRECT_LEAVE function .Lwork_function 1
.Lwork_function:
	jmp	ukl_direct_work
SYM_CODE_END(ukl_direct_function)

	/* All slots, as many as entry.S knows of: it stops here if there are more. */
	.balign	UKL_DIRECT_STRIDE, 0xcc
	.org	.Ldirect_begin + UKL_DIRECT_BYTES, 0xcc
SYM_CODE_START_NOALIGN(ukl_direct_end)
	UNWIND_HINT_END_OF_STACK
	int3
SYM_CODE_END(ukl_direct_end)

/*
 * Full entries, one every UKL_FULL_STRIDE bytes: into RAX with the number, as for the SYSCALL instruction.
 * On entry: as for a direct entry.
 */
	.balign	UKL_FULL_STRIDE, 0xcc
SYM_CODE_START_NOALIGN(ukl_full_0)
	.set	number, 0
.Lfull_begin:
	.rept	UKL_GATE_ENTRIES
	UNWIND_HINT_END_OF_STACK
	movl	$number, %eax
	jmp	ukl_full
	.set	number, number + 1
	.org	.Lfull_begin + UKL_FULL_STRIDE * number, 0xcc
	.endr
SYM_CODE_END(ukl_full_0)

/*
 * The gate's last pointer: the number is in RAX. An unknown one goes the full way to its -ENOSYS; so do those of the
 * gate's pointers that are no calls.
 * On entry: as for a direct entry.
 */
SYM_CODE_START(ukl_indexed)
	UNWIND_HINT_END_OF_STACK
	cmpl	$UKL_GATE_TEXT, %eax
	jae	ukl_full
	movl	%eax, %r11d
	ANNOTATE_RETPOLINE_SAFE
	jmp	*UKL_GATE(, %r11, 8)
SYM_CODE_END(ukl_indexed)

/*
 * On entry: as for a direct entry, RAX = number.
 * From the load of RSP on: kernel code on the task's stack, interrupts on, pt_regs being built at its top.
 */
SYM_CODE_START(ukl_full)
	UNWIND_HINT_END_OF_STACK
	movq	%rsp, %r11
	movq	UKL_TOP_OF_STACK, %rsp
	pushq	$__USER_DS
	pushq	%r11
	pushfq
	pushq	$__USER_CS
	pushq	%rcx
	pushq	%rax
	movq	3*8(%rsp), %r11			/* as SYSCALL leaves it: the flags */
	UKL_CLEAN_FLAGS %r11d
	PUSH_REGS rax=$-ENOSYS
	movq	%rsp, %rdi
	movslq	%eax, %rsi
	call	ukl_syscall			/* returns with IRQs off */
	jmp	ukl_return_to_program
SYM_CODE_END(ukl_full)

/*
 * A direct entry has work to do before it may go back.
 * On entry: IRQs on, RSP = pt_regs on the task's stack, partly filled; RAX = result, RCX = current, the
 * callee-saved registers are the program's.
 */
SYM_CODE_START(ukl_direct_work)
	UNWIND_HINT_END_OF_STACK
	testl	$(UKL_EXIT_WORK & ~_TIF_NEED_FPU_LOAD), UKL_TASK_FLAGS(%rcx)
	jnz	ukl_direct_slow
	pushq	%rax
	call	ukl_load_fpu
	popq	%rax
	jmp	ukl_direct_exit_function

/* Somebody is going to look at pt_regs: complete it, as the SYSCALL instruction's path would have. */
ukl_direct_slow:
	movq	$__USER_DS, SS(%rsp)
	movq	$__USER_CS, CS(%rsp)
	movq	%rax, RAX(%rsp)
	movq	RIP(%rsp), %rcx
	movq	%rcx, RCX(%rsp)
	pushfq
	popq	%rcx
	movq	%rcx, EFLAGS(%rsp)
	movq	%rcx, R11(%rsp)
	UKL_CLEAN_FLAGS %ecx
	movq	%rbx, RBX(%rsp)
	movq	%rbp, RBP(%rsp)
	movq	%r12, R12(%rsp)
	movq	%r13, R13(%rsp)
	movq	%r14, R14(%rsp)
	movq	%r15, R15(%rsp)
	UNWIND_HINT_REGS
	movq	%rsp, %rdi
	call	syscall_exit_to_user_mode	/* returns with IRQs off */
	jmp	ukl_return_to_program
SYM_CODE_END(ukl_direct_work)
