// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that fault in ring 3 and not in ring 0: the tool has made each that it found an invalid opcode
 * (<asm/ukl_gate.h>, UKL_TRAP_BYTE). Here the program gets what ring 3 would have given it: a general protection
 * fault, or the instruction as far as it may do anything there.
 */
#include <linux/elf.h>
#include <linux/entry-common.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include <asm/insn-eval.h>
#include <asm/insn.h>
#include <asm/io_bitmap.h>
#include <asm/processor.h>
#include <asm/traps.h>
#include <asm/ukl.h>
#include <asm/umip.h>

/* What POPF changes in ring 3 (SDM volume 2, POPF, table 4-16). */
#define UKL_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
			 X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_NT | X86_EFLAGS_AC | \
			 X86_EFLAGS_ID)

/* The line that Linux's traps.c logs; init reads it. */
static void ukl_show_fault(struct pt_regs *regs, int signal, const char *what, long error_code)
{
	if (!show_unhandled_signals || !unhandled_signal(current, signal) || !printk_ratelimit())
		return;
	pr_info("traps: %s[%d] %s ip:%lx sp:%lx error:%lx", current->comm, task_pid_nr(current), what, regs->ip,
		regs->sp, error_code);
	print_vma_addr(KERN_CONT " in ", regs->ip);
	pr_cont("\n");
}

static void ukl_protection_fault(struct pt_regs *regs, unsigned long error_code)
{
	current->thread.error_code = error_code;
	current->thread.trap_nr = X86_TRAP_GP;
	ukl_show_fault(regs, SIGSEGV, "general protection fault", error_code);
	force_sig(SIGSEGV);
}

static void ukl_invalid_opcode(struct pt_regs *regs)
{
	current->thread.error_code = 0;
	current->thread.trap_nr = X86_TRAP_UD;
	ukl_show_fault(regs, SIGILL, "trap invalid opcode", 0);
	force_sig_fault(SIGILL, ILL_ILLOPN, (void __user *)regs->ip);
}

/* Reads an operand; where it is not there, the program gets the page fault. */
static bool ukl_read_operand(void *value, unsigned long address, unsigned long size)
{
	unsigned long missing = copy_from_user(value, (void __user *)address, size);

	if (!missing)
		return true;
	address += size - missing;
	current->thread.cr2 = address;
	current->thread.error_code = X86_PF_USER;
	current->thread.trap_nr = X86_TRAP_PF;
	force_sig_fault(SIGSEGV, SEGV_MAPERR, (void __user *)address);
	return false;
}

static bool ukl_read_file(struct file *file, loff_t offset, void *buffer, size_t size)
{
	return kernel_read(file, buffer, size, &offset) == size;
}

/* The record of the instruction at `offset` of a rewritten file. */
static bool ukl_find_in_file(struct file *file, unsigned long offset, struct ukl_trap *trap)
{
	unsigned long low = 0, high, middle;
	struct ukl_mark mark;
	struct elfhdr header;

	if (!ukl_read_file(file, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) ||
	    header.e_phoff < sizeof(mark) ||
	    !ukl_read_file(file, header.e_phoff - sizeof(mark), &mark, sizeof(mark)) ||
	    memcmp(mark.magic, UKL_MARK_MAGIC, sizeof(mark.magic)))
		return false;
	high = mark.trap_count;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (!ukl_read_file(file, mark.traps + middle * sizeof(*trap), trap, sizeof(*trap)))
			return false;
		if (trap->offset == offset)
			return true;
		if (trap->offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The record of the instruction at `ip`. May sleep. */
static bool ukl_find_trap(unsigned long ip, struct ukl_trap *trap)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	struct file *file = NULL;
	unsigned long offset = 0;
	bool found;

	mmap_read_lock(mm);
	vma = vma_lookup(mm, ip);
	if (vma && vma->vm_file) {
		file = get_file(vma->vm_file);
		offset = (vma->vm_pgoff << PAGE_SHIFT) + (ip - vma->vm_start);
	}
	mmap_read_unlock(mm);
	if (!file)
		return false;
	found = ukl_find_in_file(file, offset, trap);
	fput(file);
	return found;
}

/*
 * Flags as ring 3 may set them. NT, AC and ID must not go into the kernel, whose context switch does not change
 * flags: a thread that has one makes its calls the full way, which puts them aside (gate.S, UKL_CLEAN_FLAGS).
 */
static void ukl_set_flags(struct pt_regs *regs, unsigned long value, unsigned long changeable)
{
	regs->flags = (regs->flags & ~(changeable | X86_EFLAGS_RF)) | (value & changeable);
	if (regs->flags & UKL_ODD_FLAGS)
		set_bit(UKL_ODD_FLAGS_WORK_BIT, &current_thread_info()->syscall_work);
	else
		clear_bit(UKL_ODD_FLAGS_WORK_BIT, &current_thread_info()->syscall_work);
}

static bool ukl_may_use_port(unsigned int port, unsigned int size)
{
#ifdef CONFIG_X86_IOPL_IOPERM
	struct thread_struct *thread = &current->thread;
	unsigned int end = port + size;

	if (thread->iopl_emul == 3)
		return true;
	if (!thread->io_bitmap || end > IO_BITMAP_BITS)
		return false;
	return find_next_bit(thread->io_bitmap->bitmap, end, port) >= end;
#else
	return false;
#endif
}

static bool ukl_ignores_interrupt_flag(void)
{
#ifdef CONFIG_X86_IOPL_IOPERM
	return current->thread.iopl_emul == 3;
#else
	return false;
#endif
}

static void ukl_pop_flags(struct pt_regs *regs, const struct ukl_trap *trap)
{
	unsigned long value = 0;

	if (!ukl_read_operand(&value, regs->sp, trap->size))
		return;
	regs->sp += trap->size;
	regs->ip += trap->length;
	ukl_set_flags(regs, value, trap->size == 2 ? UKL_FLAGS & 0xffff : UKL_FLAGS);
}

/* One of the values that a far return or an interrupt return pops. */
static unsigned long ukl_popped(const u8 *values, unsigned int index, unsigned int size)
{
	unsigned long value = 0;

	memcpy(&value, values + index * size, size);
	return value;
}

/* A program finds the kernel's selectors in its registers, and knows Linux's. */
static bool ukl_is_code_selector(u16 selector)
{
	return selector == __USER_CS || selector == __KERNEL_CS;
}

static bool ukl_is_data_selector(u16 selector)
{
	return selector == __USER_DS || selector == __KERNEL_DS;
}

static void ukl_far_return(struct pt_regs *regs, const struct ukl_trap *trap)
{
	u8 values[2 * 8];
	u16 selector;

	if (!ukl_read_operand(values, regs->sp, 2 * trap->size))
		return;
	selector = ukl_popped(values, 1, trap->size);
	if (!ukl_is_code_selector(selector)) {
		ukl_protection_fault(regs, selector & 0xfffc);
		return;
	}
	regs->ip = ukl_popped(values, 0, trap->size);
	regs->sp += 2 * trap->size + trap->operand;
}

static void ukl_interrupt_return(struct pt_regs *regs, const struct ukl_trap *trap)
{
	unsigned long changeable = UKL_FLAGS | X86_EFLAGS_RF;
	u8 values[5 * 8];
	u16 code, data;

	if (regs->flags & X86_EFLAGS_NT) {
		ukl_protection_fault(regs, 0);
		return;
	}
	if (!ukl_read_operand(values, regs->sp, 5 * trap->size))
		return;
	code = ukl_popped(values, 1, trap->size);
	data = ukl_popped(values, 4, trap->size);
	if (!ukl_is_code_selector(code) || !ukl_is_data_selector(data)) {
		ukl_protection_fault(regs, (ukl_is_code_selector(code) ? data : code) & 0xfffc);
		return;
	}
	regs->ip = ukl_popped(values, 0, trap->size);
	regs->sp = ukl_popped(values, 3, trap->size);
	ukl_set_flags(regs, ukl_popped(values, 2, trap->size), trap->size == 2 ? changeable & 0xffff : changeable);
}

/* GS is the kernel's and the program's GS base is 0: a selector with that base is as good as loaded. */
static void ukl_load_selector(struct pt_regs *regs, u16 selector, bool may_be_null, unsigned int length)
{
	if (ukl_is_data_selector(selector) || (may_be_null && selector <= 3))
		regs->ip += length;
	else
		ukl_protection_fault(regs, selector & 0xfffc);
}

/* With RIP at the copy, which has the displacement that is right there. */
static bool ukl_decode_copy(struct pt_regs *regs, struct insn *insn)
{
	u8 code[MAX_INSN_SIZE];
	int size = insn_fetch_from_user(regs, code);

	return size > 0 && insn_decode_from_regs(insn, regs, code, size);
}

static void ukl_load_segment(struct pt_regs *regs, const struct ukl_trap *trap)
{
	unsigned long address = 0;
	bool decoded, may_be_null = false;
	u16 selector = 0;
	struct insn insn;
	int offset = 0;

	regs->ip += trap->copy;
	decoded = ukl_decode_copy(regs, &insn);
	if (decoded && X86_MODRM_MOD(insn.modrm.value) == 3)
		offset = insn_get_modrm_rm_off(&insn, regs);
	else if (decoded)
		address = (unsigned long)insn_get_addr_ref(&insn, regs);
	regs->ip -= trap->copy;
	if (!decoded || offset < 0 || address == -1UL) {
		ukl_protection_fault(regs, 0);
		return;
	}
	if (X86_MODRM_MOD(insn.modrm.value) == 3)
		selector = *(u16 *)((char *)regs + offset);
	else if (!ukl_read_operand(&selector, address, sizeof(selector)))
		return;
	may_be_null = X86_MODRM_REG(insn.modrm.value) == 5;	/* GS, not SS */
	ukl_load_selector(regs, selector, may_be_null, trap->length);
}

static void ukl_pop_gs(struct pt_regs *regs, const struct ukl_trap *trap)
{
	unsigned long ip = regs->ip;
	u16 selector;

	if (!ukl_read_operand(&selector, regs->sp, sizeof(selector)))
		return;
	ukl_load_selector(regs, selector, true, trap->length);
	if (regs->ip != ip)
		regs->sp += trap->size;
}

/* Linux answers these with values that say nothing (umip.c). */
static void ukl_answer_table(struct pt_regs *regs, const struct ukl_trap *trap)
{
	bool answered;

	regs->ip += trap->copy;
	answered = fixup_umip_exception(regs);
	regs->ip -= trap->copy;
	if (!answered)
		ukl_protection_fault(regs, 0);
}

static void ukl_run_copy(struct pt_regs *regs, const struct ukl_trap *trap, bool allowed)
{
	if (allowed && trap->copy)
		regs->ip += trap->copy;
	else
		ukl_protection_fault(regs, 0);
}

static void ukl_do_instruction(struct pt_regs *regs, const struct ukl_trap *trap)
{
	switch (trap->kind) {
	case UKL_TRAP_PROTECTED:
		ukl_protection_fault(regs, trap->operand);
		return;
	case UKL_TRAP_INTERRUPTS:
		if (ukl_ignores_interrupt_flag())
			regs->ip += trap->length;
		else
			ukl_protection_fault(regs, 0);
		return;
	case UKL_TRAP_PORT:
		ukl_run_copy(regs, trap, ukl_may_use_port(trap->operand, trap->size));
		return;
	case UKL_TRAP_PORT_DX:
		ukl_run_copy(regs, trap, ukl_may_use_port((u16)regs->dx, trap->size));
		return;
	case UKL_TRAP_COUNTER:
		ukl_run_copy(regs, trap, __read_cr4() & X86_CR4_PCE);
		return;
	case UKL_TRAP_TABLES:
		ukl_answer_table(regs, trap);
		return;
	case UKL_TRAP_POP_FLAGS:
		ukl_pop_flags(regs, trap);
		return;
	case UKL_TRAP_IRET:
		ukl_interrupt_return(regs, trap);
		return;
	case UKL_TRAP_FAR_RETURN:
		ukl_far_return(regs, trap);
		return;
	case UKL_TRAP_LOAD_SEGMENT:
		ukl_load_segment(regs, trap);
		return;
	case UKL_TRAP_POP_GS:
		ukl_pop_gs(regs, trap);
		return;
	}
	ukl_invalid_opcode(regs);
}

/* The program is at UKL_TRAP_BYTE. IRQs on. */
static void ukl_trapped(struct pt_regs *regs)
{
	bool stepping = regs->flags & X86_EFLAGS_TF;
	unsigned long ip = regs->ip;
	struct ukl_trap trap;

	if (!ukl_find_trap(ip, &trap) || trap.size > 8) {
		ukl_invalid_opcode(regs);
		return;
	}
	ukl_do_instruction(regs, &trap);
	/* What has been done here is one step of a program that is single-stepped; what its copy does makes its own. */
	if (stepping && regs->ip != ip && regs->ip != ip + trap.copy) {
		current->thread.virtual_dr6 = DR_STEP;
		send_sigtrap(regs, 0, TRAP_TRACE);
	}
}

/* The page is there, the processor has just read it. */
static bool ukl_is_at_trap(struct pt_regs *regs)
{
	u8 byte;

	return !copy_from_user_nofault(&byte, (void __user *)regs->ip, 1) && byte == UKL_TRAP_BYTE;
}

/* Invalid opcodes of the program; called from entry.S with IRQs off. */
__visible noinstr void ukl_invalid_op(struct pt_regs *regs)
{
	bool trapped;

	instrumentation_begin();
	trapped = ukl_is_at_trap(regs);
	instrumentation_end();
	if (!trapped) {
		exc_invalid_op(regs);
		return;
	}
	irqentry_enter_from_user_mode(regs);
	instrumentation_begin();
	local_irq_enable();
	ukl_trapped(regs);
	local_irq_disable();
	instrumentation_end();
	irqentry_exit_to_user_mode(regs);
}
