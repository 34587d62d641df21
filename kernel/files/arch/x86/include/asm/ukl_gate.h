/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: the whole interface between a rewritten program and its kernel. It is one page of pointers at a fixed
 * kernel address, so a program is never bound to one build of the kernel. The page lies in the slot of the legacy
 * vsyscall page (Linux, Documentation/x86/x86_64/mm.rst), which the kernel's address randomisation does not move.
 * The kernel includes this file as <asm/ukl_gate.h>, programs and the tool as <ukl/gate.h>.
 *
 * Entry n, for n below UKL_GATE_CALLS, is the kernel's entry point of system call n (asm/unistd_64.h).
 * Entry UKL_GATE_INDEXED takes the number from RAX, as the SYSCALL instruction does, and answers numbers without an
 * entry of their own as that instruction does.
 * Entry UKL_GATE_FUNCTION calls the kernel function whose address is in RAX (<ukl/kernel.hpp>), on the thread's
 * kernel stack, preemptible and interruptible as a system call is.
 * Entry UKL_GATE_TEXT is not to be jumped to: it is the address of the kernel's symbol _text.
 * Every other entry is reserved.
 *
 * An entry is reached by a jump, never by a call, because the caller may keep live data in the 128 bytes below RSP:
 *
 *	lea	back(%rip), %rcx
 *	jmp	*(UKL_GATE + UKL_GATE_ENTRY_SIZE * n)	; absolute, FF 24 25 disp32, sign-extended
 *
 * At the jump all is as at a SYSCALL instruction (arguments in RDI, RSI, RDX, R10, R8, R9), except
 *	RCX	the return address, as the SYSCALL instruction itself would leave it
 *	R11	anything
 *	RAX	anything at an entry reached by number; the number at UKL_GATE_INDEXED
 * On return RAX holds the result, RCX and R11 are clobbered, the arithmetic flags and DF are undefined, and
 * everything else is as it was, RSP and the bytes below it too.
 *
 * Restart: the two bytes before the return address are a SYSCALL instruction (0F 05). Execution that continues there
 * with RAX = the number makes the same call and then goes on as after the jump. So the kernel may build pt_regs with
 * RIP = RCX and orig_rax = the number, and everything that Linux does with an interrupted call (restart, restart
 * blocks, ptrace, seccomp) needs no change. (UKL_GATE_FUNCTION needs no such instruction: it is not restarted.)
 */
#ifndef UKL_GATE_H
#define UKL_GATE_H

#define UKL_GATE_ENTRY_SIZE	8
#define UKL_GATE_ENTRIES	512
#define UKL_GATE_CALLS		464
#define UKL_GATE_TEXT		509
#define UKL_GATE_FUNCTION	510
#define UKL_GATE_INDEXED	511

#ifdef __ASSEMBLER__
#define UKL_GATE		0xffffffffff600000
#else
#define UKL_GATE		0xffffffffff600000ULL
#endif

/*
 * How an image wants a call to be entered: the bytes of the kernel's table ukl_image_calls[UKL_GATE_ENTRIES], which
 * the tool fills in when it makes the image. The SYSCALL instruction obeys UKL_CALL_MASKED as well.
 */
#define UKL_CALL_DEFAULT	0	/* direct, unless the call needs all of pt_regs */
#define UKL_CALL_FULL		1	/* as the SYSCALL instruction would */
#define UKL_CALL_DIRECT		2	/* made full for the calls that need all of pt_regs */
#define UKL_CALL_MASKED		3	/* -ENOSYS, and a report on the console when it happens */
#define UKL_CALL_SHORTCUT	4	/* straight into the TCP socket, for the calls that have this (else default) */

/* The table's name where it stands before the initial ramdisk (gate_page.c). */
#define UKL_CALLS_FILE		"ukl-image-calls"

/*
 * Instructions that fault in ring 3 and not in ring 0. The tool writes UKL_TRAP_BYTE over the first byte of each one
 * that it finds: no 64-bit instruction begins with it, so the processor reports an invalid opcode there, and the
 * kernel does what ring 3 would have done (trapped.c). What stood there says a record in the rewritten file, in a
 * table sorted by offset. The file's program headers stand right behind a struct ukl_mark, which says where the table
 * is; so it is found by e_phoff, however the file was mapped.
 */
#define UKL_TRAP_BYTE		0xd6

#define UKL_TRAP_PROTECTED	1	/* general protection with error code `operand` */
#define UKL_TRAP_INVALID	2	/* invalid opcode */
#define UKL_TRAP_INTERRUPTS	3	/* cli, sti: does nothing after iopl(3), else protected */
#define UKL_TRAP_PORT		4	/* `size` bytes at port `operand`: where ioperm or iopl allow it, the copy runs */
#define UKL_TRAP_PORT_DX	5	/* the same, port in DX */
#define UKL_TRAP_COUNTER	6	/* rdpmc: where CR4.PCE allows it, the copy runs */
#define UKL_TRAP_TABLES		7	/* sgdt, sidt, sldt, smsw, str: answered as with UMIP, from the copy */
#define UKL_TRAP_POP_FLAGS	8	/* popf of `size` bytes */
#define UKL_TRAP_IRET		9	/* five times `size` bytes */
#define UKL_TRAP_FAR_RETURN	10	/* two times `size` bytes, then `operand` bytes more */
#define UKL_TRAP_LOAD_SEGMENT	11	/* mov to GS or SS, decoded from the copy */
#define UKL_TRAP_POP_GS		12	/* pop of `size` bytes into GS */

#define UKL_MARK_MAGIC		"UKLSTUB1"

#ifndef __ASSEMBLER__
struct ukl_trap {
	unsigned long long offset;	/* in the file, of the instruction */
	long long copy;			/* how far behind it in memory its copy lies, which then jumps back; 0: none */
	unsigned short operand;
	unsigned char kind, length, size, first_byte;
	unsigned char unused[2];
};

/* First in the segment that a rewritten file gains. */
struct ukl_mark {
	char magic[8];
	unsigned long long table;	/* offset in the file of the list of sites, for the tool itself */
	unsigned long long count;	/* of sites */
	unsigned long long stubs;	/* address */
	unsigned long long stubs_size;	/* bytes */
	unsigned long long gate;	/* address */
	unsigned long long traps;	/* offset in the file of the first struct ukl_trap */
	unsigned long long trap_count;
};
#endif

#endif /* UKL_GATE_H */
