/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entering Linux from a program that runs in ring 0, and going back to it.
 *
 * The program is told from the kernel by the sign of the saved RSP: programs have their stacks in the lower half
 * of the address space, the kernel in the upper. A program may load RSP with anything, so that a negative one is
 * looked at twice: code in the lower half is always the program's, and the kernel's stacks have canonical addresses
 * (UKL_IF_PROGRAM). Between here and Linux's own code the program's frame says __USER_CS/__USER_DS, so that
 * user_mode(regs) is right everywhere; only the CPU ever sees the kernel's selectors.
 *
 * While the program runs, GS holds the kernel's per-CPU base and MSR_KERNEL_GS_BASE the program's, exactly as
 * inside the kernel: no path here swaps them.
 *
 * The CPU does not change stacks from ring 0 to ring 0, so every gate of ours names an IST stack. It holds one
 * frame, for the few instructions until it is moved to where Linux expects it:
 *   - the program's: to the top of the task's kernel stack, as pt_regs;
 *   - the kernel's: to just below the interrupted RSP, as the CPU itself would have done, and from there Linux's
 *     own entry point goes on. It cannot tell the difference.
 */
#include <linux/linkage.h>
#include <asm/segment.h>
#include <asm/asm-offsets.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/errno.h>
#include <asm/frame.h>
#include <asm/percpu.h>
#include <asm/trapnr.h>
#include <asm/unistd.h>
#include <asm/irq_vectors.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>
#include <asm/ukl.h>

#include "../entry/calling.h"
#include "compat.h"
#include "slots.h"

/* The iret frame as the CPU pushes it: byte offsets from RIP. */
#define FRAME_CS	8
#define FRAME_FLAGS	16
#define FRAME_RSP	24
#define FRAME_SS	32

	.pushsection .init.rodata, "a"
SYM_DATA_START(ukl_vectors)
	.popsection

.code64
.section .entry.text, "ax"

/*
 * Takes GS back from a program that has loaded it (WRGSBASE, MOV to GS: it may not, but in ring 0 nothing stops it).
 * The program loses its value; the machine goes on. A CPU without RDGSBASE is not protected.
 * In: IRQs off, GS unknown. Clobbers \scratch.
 */
.macro UKL_CHECK_GS scratch:req
	ALTERNATIVE "movq $-1, \scratch", "rdgsbase \scratch", X86_FEATURE_FSGSBASE
	testq	\scratch, \scratch
	js	.Lkernel_gs_\@
	GET_PERCPU_BASE \scratch
	wrgsbase \scratch
.Lkernel_gs_\@:
.endm

/*
 * Jumps to \program if a frame whose RSP is negative is a program's after all. The kernel runs without 5-level page
 * tables, so its addresses have bits 63 to 47 set. In: RIP and RSP of the frame. Clobbers \scratch.
 */
.macro UKL_IF_PROGRAM rip:req, rsp:req, scratch:req, program:req
	cmpq	$0, \rip
	jns	\program
	movq	\rsp, \scratch
	sarq	$47, \scratch
	incq	\scratch
	jnz	\program
.endm

/*
 * Loads SS if it is null. A CPU leaves it alone where an IST stack is taken without a change of ring (SDM volume 3,
 * 6.14.2), QEMU's translator empties it. Linux runs with either; but the translator keeps a translation of its own of
 * all kernel code for each, and looks for the right one whenever code of an interrupt is shared with a system call.
 * In: as for UKL_PUSH_PROGRAM. Clobbers \scratch, which is saved. An NMI may come in between; SS is no part of what
 * it has to find.
 */
.macro UKL_LOAD_SS scratch:req
	movl	%ss, %e\scratch
	testl	%e\scratch, %e\scratch
	jnz	.Lhas_ss_\@
	movl	$__KERNEL_DS, %e\scratch
	movl	%e\scratch, %ss
.Lhas_ss_\@:
.endm

/*
 * Builds pt_regs for an interrupted program on its task's stack.
 * In:  IRQs off, RSP on an IST stack: program's RDI, error code, iret frame. All other registers are
 *      the program's.
 * Out: RSP = pt_regs on the task's stack, relabelled as user mode; registers cleared.
 * An NMI, #DB or #MC in between finds RDI pointing into the IST stack; ukl_move_aside knows.
 */
.macro UKL_PUSH_PROGRAM
	UKL_LOAD_SS di
	UKL_CHECK_GS %rdi
	movq	%rsp, %rdi
	movq	UKL_TOP_OF_STACK, %rsp
	UNWIND_HINT_IRET_REGS base=%rdi offset=16
	pushq	$__USER_DS
	pushq	16+FRAME_RSP(%rdi)
	pushq	16+FRAME_FLAGS(%rdi)
	pushq	$__USER_CS
	pushq	16(%rdi)			/* RIP */
	pushq	8(%rdi)				/* error code */
	UNWIND_HINT_IRET_REGS offset=8
	movq	(%rdi), %rdi
	PUSH_REGS
	ENCODE_FRAME_POINTER
.endm

/*
 * Gives an interrupt of the kernel to Linux's own entry point `asmsym`, with the stack as the CPU would have left
 * it had the gate named no IST.
 * In:  as for UKL_PUSH_PROGRAM, but the registers are the kernel's.
 */
.macro UKL_GIVE_TO_LINUX asmsym has_error_code:req
	UKL_LOAD_SS di
	movq	%rsp, %rdi
	movq	16+FRAME_RSP(%rdi), %rsp
	UNWIND_HINT_IRET_REGS base=%rdi offset=16
	andq	$-16, %rsp
	pushq	16+FRAME_SS(%rdi)
	pushq	16+FRAME_RSP(%rdi)
	pushq	16+FRAME_FLAGS(%rdi)
	pushq	16+FRAME_CS(%rdi)
	pushq	16(%rdi)
	.if \has_error_code == 1
	pushq	8(%rdi)
	.endif
	UNWIND_HINT_IRET_REGS offset=\has_error_code*8
	movq	(%rdi), %rdi
	jmp	\asmsym
.endm

/*
 * An interrupt that hits a direct entry's way back (gate.S) may leave work that the test there has just missed:
 * let it test again. In: as for UKL_GIVE_TO_LINUX. Clobbers RDI, which is saved.
 */
.macro UKL_RESTART_EXIT
	movq	16(%rsp), %rdi
	subq	$ukl_direct_begin, %rdi
	cmpq	$UKL_DIRECT_BYTES, %rdi
	jae	.Lno_restart_\@
	andl	$(UKL_DIRECT_STRIDE - 1), %edi
	cmpl	$UKL_DIRECT_EXIT, %edi
	jbe	.Lno_restart_\@
	subq	%rdi, 16(%rsp)
	addq	$UKL_DIRECT_EXIT, 16(%rsp)
.Lno_restart_\@:
.endm

/* Names the twin of a Linux entry point, for setup.c. */
.macro UKL_VECTOR linux_entry
	.pushsection .init.rodata, "a"
	.quad	\linux_entry, ukl_\linux_entry
	.popsection
.endm

.macro UKL_CALL_HANDLER cfunc has_error_code:req
	movq	%rsp, %rdi
	.if \has_error_code == 1
	movq	ORIG_RAX(%rsp), %rsi
	movq	$-1, ORIG_RAX(%rsp)
	.endif
	call	\cfunc
	jmp	ukl_return_to_program
.endm

/*
 * The twins of Linux's idtentry macros: <asm/idtentry.h>, included below, expands them for every vector, as it
 * does in entry_64.S.
 * On entry: ring 0, IRQs off, kernel GS, on the CPU's IST stack for this kind of vector; an NMI, #DB or #MC may
 * come at any instruction, nothing else.
 */
.macro idtentry vector asmsym cfunc has_error_code:req
UKL_VECTOR \asmsym
SYM_CODE_START(ukl_\asmsym)
	UNWIND_HINT_IRET_REGS offset=\has_error_code*8
	.if \has_error_code == 0
	pushq	$-1
	.endif
	pushq	%rdi
	UNWIND_HINT_IRET_REGS offset=16
	cmpq	$0, 16+FRAME_RSP(%rsp)
	js	.Lkernel_\@

	/* From the program. DF is the only flag of its that the kernel would stumble over. */
.Lprogram_\@:
	cld
	UKL_PUSH_PROGRAM
	.if \vector == X86_TRAP_PF
	/* The CPU sees a supervisor's access; Linux has to see the program's. */
	orq	$UKL_PF_USER, ORIG_RAX(%rsp)
	.endif
	.if \vector == X86_TRAP_UD
	/* It may be what ring 3 would have refused. */
	UKL_CALL_HANDLER ukl_invalid_op 0
	.else
	UKL_CALL_HANDLER \cfunc \has_error_code
	.endif

.Lkernel_\@:
	UKL_IF_PROGRAM 16(%rsp), 16+FRAME_RSP(%rsp), %rdi, .Lprogram_\@
	.if \vector == X86_TRAP_GP
	/*
	 * With NT set no iretq works. A program that sets it with code made at run time takes it along into a direct
	 * entry, and a context switch hands it on: so wherever it turns up, it is taken away and the instruction tried
	 * again. On the exception stack, IRQs off; the gate has cleared NT for this iretq.
	 */
	btrl	$X86_EFLAGS_NT_BIT, 16+FRAME_FLAGS(%rsp)
	jc	.Lnested_task_\@
	cmpq	$ukl_iretq, 16(%rsp)
	je	.Lbad_iret_\@
	.elseif \vector >= FIRST_EXTERNAL_VECTOR
	UKL_RESTART_EXIT
	.endif
	UKL_GIVE_TO_LINUX \asmsym \has_error_code

	.if \vector == X86_TRAP_GP
	/*
	 * iretq refused the program's frame (RIP is not canonical). The task's stack still holds that frame, at
	 * the interrupted RSP; all other registers are the program's. Say that the program faulted after iretq.
	 */
.Lbad_iret_\@:
	movq	%rsp, %rdi
	movq	16+FRAME_RSP(%rdi), %rsp
	UNWIND_HINT_IRET_REGS
	movq	$__USER_CS, FRAME_CS(%rsp)
	movq	$__USER_DS, FRAME_SS(%rsp)
	pushq	8(%rdi)				/* error code */
	UNWIND_HINT_IRET_REGS offset=8
	movq	(%rdi), %rdi
	PUSH_REGS
	ENCODE_FRAME_POINTER
	UKL_CALL_HANDLER \cfunc 1

.Lnested_task_\@:
	UNWIND_HINT_IRET_REGS offset=16
	popq	%rdi
	UNWIND_HINT_IRET_REGS offset=8
	addq	$8, %rsp			/* error code */
	UNWIND_HINT_IRET_REGS
	iretq
	.endif
SYM_CODE_END(ukl_\asmsym)
.endm

/* Device interrupts: ukl_common_interrupt and ukl_spurious_interrupt ask whether a program's INT n was it. */
.macro idtentry_irq vector cfunc
	.p2align CONFIG_X86_L1_CACHE_SHIFT
	idtentry \vector asm_\cfunc ukl_\cfunc has_error_code=1
.endm

.macro idtentry_sysvec vector cfunc
	idtentry \vector asm_\cfunc \cfunc has_error_code=0
.endm

/*
 * Entries that keep the IST stack Linux gave them: #DB, #MC, and NMI.
 * On entry: ring 0, IRQs off, kernel GS, on that vector's own IST stack. An NMI masks further NMIs until the next
 * iretq. One word below the frame may be written; the next one belongs to asm_exc_nmi ("NMI executing").
 * \place: index into ukl_stacks.moved.
 */
.macro UKL_PARANOID asmsym cfunc place:req
UKL_VECTOR \asmsym
SYM_CODE_START(ukl_\asmsym)
	UNWIND_HINT_IRET_REGS
	pushq	%rdx
	UNWIND_HINT_IRET_REGS offset=8
	cmpq	$0, 8+FRAME_RSP(%rsp)
	js	.Lkernel_\@

	/* From the program, or from the first instructions of a system call: the task's stack is free. */
.Lprogram_\@:
	cld
	UKL_CHECK_GS %rdx
	movq	%rsp, %rdx
	movq	UKL_TOP_OF_STACK, %rsp
	UNWIND_HINT_IRET_REGS base=%rdx offset=8
	pushq	$__USER_DS
	pushq	8+FRAME_RSP(%rdx)
	pushq	8+FRAME_FLAGS(%rdx)
	pushq	$__USER_CS
	pushq	8(%rdx)
	UNWIND_HINT_IRET_REGS
	pushq	$-1
	PUSH_REGS rdx=(%rdx)
	ENCODE_FRAME_POINTER
	.if \place == 2
	movq	%rsp, %rdi
	call	ukl_step_out_of_gate
	.endif
	UKL_CALL_HANDLER \cfunc 0

.Lkernel_\@:
	UKL_IF_PROGRAM 8(%rsp), 8+FRAME_RSP(%rsp), %rdx, .Lprogram_\@
	/* Did it hit one of the entries above, whose IST stack the handler's own faults would overwrite? */
	movq	8(%rsp), %rdx
	subq	$ukl_entries_begin, %rdx
	cmpq	$(ukl_entries_end - ukl_entries_begin), %rdx
	jae	.Lgive_\@
	movq	$(2 * UKL_STACK_SIZE * (\place + 1)), %rdx
	jmp	ukl_move_aside_\asmsym
SYM_INNER_LABEL(ukl_moved_\asmsym, SYM_L_LOCAL)
.Lgive_\@:
	popq	%rdx
	UNWIND_HINT_IRET_REGS
	jmp	\asmsym

	/*
	 * Copies both IST stacks to `moved` and turns the interrupted RSP, and RDI where it points to them, to the
	 * copy: the interrupted entry finishes there. RDX = distance. Same context as above; neither faults nor
	 * NMIs can come (a #MC has a place and saved registers of its own).
	 */
ukl_move_aside_\asmsym:
	UNWIND_HINT_IRET_REGS offset=8
	movq	%rsi, PER_CPU_VAR(ukl_saved + 32 * \place)
	movq	%rdi, PER_CPU_VAR(ukl_saved + 32 * \place + 8)
	movq	%rcx, PER_CPU_VAR(ukl_saved + 32 * \place + 16)
	movq	PER_CPU_VAR(ukl_stacks_here), %rsi
	movq	%rsi, %rdi
	addq	%rdx, %rdi
	movl	$(2 * UKL_STACK_SIZE / 8), %ecx
	cld
	rep	movsq

	/* RSI is now the end of both stacks, an address that an empty stack holds. */
	movq	%rsi, %rcx
	subq	8+FRAME_RSP(%rsp), %rcx
	cmpq	$(2 * UKL_STACK_SIZE), %rcx
	ja	1f
	addq	%rdx, 8+FRAME_RSP(%rsp)
1:	movq	PER_CPU_VAR(ukl_saved + 32 * \place + 8), %rdi
	subq	%rdi, %rsi
	cmpq	$(2 * UKL_STACK_SIZE), %rsi
	ja	2f
	addq	%rdx, %rdi
2:	movq	PER_CPU_VAR(ukl_saved + 32 * \place), %rsi
	movq	PER_CPU_VAR(ukl_saved + 32 * \place + 16), %rcx
	jmp	ukl_moved_\asmsym
SYM_CODE_END(ukl_\asmsym)
.endm

/* NMI is 0 of `moved`, #MC 1, #DB 2. */
.macro idtentry_mce_db vector asmsym cfunc
	.if \vector == X86_TRAP_MC
	UKL_PARANOID \asmsym noist_\cfunc 1
	.else
	UKL_PARANOID \asmsym noist_\cfunc 2
	.endif
.endm

/* A double fault is always the kernel's own: a program's faults arrive on an IST stack. */
.macro idtentry_df vector asmsym cfunc
.endm

#define irq_entries_start	ukl_irq_entries_start
#define spurious_entries_start	ukl_spurious_entries_start
#define asm_common_interrupt	ukl_asm_common_interrupt
#define asm_spurious_interrupt	ukl_asm_spurious_interrupt

SYM_CODE_START_NOALIGN(ukl_entries_begin)
	UNWIND_HINT_END_OF_STACK
	int3
SYM_CODE_END(ukl_entries_begin)

#include <asm/idtentry.h>

UKL_PARANOID asm_exc_nmi exc_nmi 0

SYM_CODE_START_NOALIGN(ukl_entries_end)
	UNWIND_HINT_END_OF_STACK
	int3
SYM_CODE_END(ukl_entries_end)

/*
 * The SYSCALL instruction, executed in ring 0. It saves RIP in RCX and the flags in R11, masks the flags and loads
 * the kernel's selectors; it needs no stack and has no opinion on the privilege level it came from.
 * On entry: IRQs off (MSR_SYSCALL_MASK), kernel GS, the program's RSP. An NMI or #MC that comes before RSP is
 * loaded counts as the program's and uses the task's stack, which holds nothing yet.
 */
SYM_CODE_START(ukl_entry_SYSCALL_64)
	UNWIND_HINT_ENTRY
	movq	%rsp, PER_CPU_VAR(cpu_tss_rw + TSS_sp2)
	movq	UKL_TOP_OF_STACK, %rsp
	pushq	$__USER_DS
	pushq	PER_CPU_VAR(cpu_tss_rw + TSS_sp2)
	pushq	%r11
	pushq	$__USER_CS
	pushq	%rcx
	pushq	%rax
	PUSH_REGS rax=$-ENOSYS
	movq	%rsp, %rdi
	movslq	%eax, %rsi
	call	ukl_syscall
	jmp	ukl_return_to_program
SYM_CODE_END(ukl_entry_SYSCALL_64)

/*
 * The way back to the program: from system calls, interrupts, exceptions, NMIs, fork and exec. Linux's
 * swapgs_restore_regs_and_return_to_usermode jumps here when "ukl=on".
 * On entry: IRQs off, kernel GS, RSP = pt_regs on the task's stack, all exit work done. An NMI or #MC may come at
 * any instruction: RSP is the kernel's until iretq has loaded the program's, in one step with RIP and the flags.
 */
SYM_CODE_START(ukl_return_to_program)
	UNWIND_HINT_REGS
	/* Only 64-bit code can go on from here, and only what would be known as the program when it is interrupted. */
	cmpq	$0, RSP(%rsp)
	js	.Lodd_stack
.Lstack_is_known:
	cmpq	$__USER_CS, CS(%rsp)
	jne	.Lbad_frame
	movq	$__KERNEL_CS, CS(%rsp)
	movq	$__KERNEL_DS, SS(%rsp)
	POP_REGS
	addq	$8, %rsp			/* orig_ax */
	UNWIND_HINT_IRET_REGS
SYM_INNER_LABEL(ukl_iretq, SYM_L_LOCAL)
	/* #GP if RIP is not canonical: see .Lbad_iret above. */
	iretq

	/* As above: IRQs off, kernel GS, RSP = pt_regs. RDI is the program's, still in pt_regs, and may be clobbered. */
.Lodd_stack:
	UNWIND_HINT_REGS
	UKL_IF_PROGRAM RIP(%rsp), RSP(%rsp), %rdi, .Lstack_is_known
.Lbad_frame:
	UNWIND_HINT_REGS
	movq	%rsp, %rdi
	call	ukl_bad_frame
	jmp	ukl_return_to_program
SYM_CODE_END(ukl_return_to_program)

	.pushsection .init.rodata, "a"
SYM_DATA_END_LABEL(ukl_vectors, SYM_L_GLOBAL, ukl_vectors_end)
	.popsection
