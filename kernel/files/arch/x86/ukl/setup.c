// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turning it on: "ukl=on" on the command line makes every program run in ring 0.
 *
 * Each CPU gets an interrupt descriptor table and a SYSCALL target of ours when it comes up, before the scheduler
 * may put a program on it. Linux's own table stays as it is; ours is derived from it.
 */
#include <linux/cpu.h>
#include <linux/entry-common.h>
#include <linux/init.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/set_memory.h>
#include <linux/uaccess.h>

#include <asm/cpufeature.h>
#include <asm/desc.h>
#include <asm/elf.h>
#include <asm/hw_irq.h>
#include <asm/hwcap2.h>
#include <asm/idtentry.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/trap_pf.h>
#include <asm/ukl.h>

static gate_desc ukl_idt[IDT_ENTRIES] __page_aligned_bss;

static DEFINE_PER_CPU_ALIGNED(struct ukl_stacks, ukl_stacks);
/* For entry.S: where this CPU's stacks are, and what an NMI, #MC or #DB saves while it moves them aside. */
DEFINE_PER_CPU(struct ukl_stacks *, ukl_stacks_here);
DEFINE_PER_CPU(unsigned long[3][4], ukl_saved);

static int __init ukl_parameter(char *value)
{
	bool on;

	if (kstrtobool(value, &on))
		return -EINVAL;
	if (!on)
		return 0;
	setup_force_cpu_cap(X86_FEATURE_UKL);
	/* The program's pages are user pages, and ring 0 has to run and touch them. */
	setup_clear_cpu_cap(X86_FEATURE_SMEP);
	setup_clear_cpu_cap(X86_FEATURE_SMAP);
	/* CPUID does not fault in ring 0: arch_prctl(ARCH_SET_CPUID) has to say that it cannot. */
	setup_clear_cpu_cap(X86_FEATURE_CPUID_FAULT);
	return 0;
}
early_param("ukl", ukl_parameter);

/* The entry point of ours for one of Linux's, or 0. */
static unsigned long __init ukl_entry_for(unsigned long linux_entry)
{
	const struct ukl_vector *vector;
	unsigned long offset;

	offset = linux_entry - (unsigned long)irq_entries_start;
	if (offset < IDT_ALIGN * NR_EXTERNAL_VECTORS)
		return (unsigned long)ukl_irq_entries_start + offset;
	offset = linux_entry - (unsigned long)spurious_entries_start;
	if (offset < IDT_ALIGN * NR_SYSTEM_VECTORS)
		return (unsigned long)ukl_spurious_entries_start + offset;
	for (vector = ukl_vectors; vector != ukl_vectors_end; vector++)
		if (vector->linux_entry == linux_entry)
			return vector->ukl_entry;
	return 0;
}

static void __init ukl_make_idt(void)
{
	struct desc_ptr linux_idt;
	unsigned int i;

	BUILD_BUG_ON(UKL_PF_USER != X86_PF_USER);
	store_idt(&linux_idt);
	memcpy(ukl_idt, (void *)linux_idt.address, sizeof(ukl_idt));
	for (i = 0; i < IDT_ENTRIES; i++) {
		gate_desc *gate = &ukl_idt[i];
		unsigned long entry = ukl_entry_for(gate_offset(gate));

		if (!entry)
			continue;
		gate->offset_low = (u16)entry;
		gate->offset_middle = (u16)(entry >> 16);
		gate->offset_high = (u32)(entry >> 32);
		if (!gate->bits.ist)
			gate->bits.ist = 1 + (i < FIRST_EXTERNAL_VECTOR ? UKL_IST_EXCEPTION : UKL_IST_INTERRUPT);
	}
	set_memory_ro((unsigned long)ukl_idt, 1);
}

/* Runs on the CPU that comes up. */
static int ukl_start_cpu(unsigned int cpu)
{
	struct ukl_stacks *stacks = this_cpu_ptr(&ukl_stacks);
	struct desc_ptr idt = { .size = sizeof(ukl_idt) - 1, .address = (unsigned long)ukl_idt };
	unsigned long flags;

	local_irq_save(flags);
	this_cpu_write(ukl_stacks_here, stacks);
	this_cpu_write(cpu_tss_rw.x86_tss.ist[UKL_IST_INTERRUPT], (unsigned long)(stacks->interrupt + UKL_STACK_SIZE));
	this_cpu_write(cpu_tss_rw.x86_tss.ist[UKL_IST_EXCEPTION], (unsigned long)(stacks->exception + UKL_STACK_SIZE));
	load_idt(&idt);
	wrmsrl(MSR_LSTAR, (unsigned long)ukl_entry_SYSCALL_64);
	/* GS is the kernel's: WRGSBASE is not for programs. Each CPU that Linux has set up says that it is. */
	elf_hwcap2 &= ~HWCAP2_FSGSBASE;
	local_irq_restore(flags);
	return 0;
}

/* After the last gate is set (init_IRQ) and before the first program runs. */
static int __init ukl_start(void)
{
	int result;

	if (!boot_cpu_has(X86_FEATURE_UKL))
		return 0;
	ukl_make_idt();
	ukl_make_gate();
	result = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "x86/ukl:online", ukl_start_cpu, NULL);
	if (result < 0)
		panic("ukl: cannot enter ring 0 on every CPU: %d", result);
	pr_info("ukl: programs run in ring 0\n");
	return 0;
}
core_initcall(ukl_start);

/*
 * The program's registers, as a signal handler or a tracer left them, cannot be returned to in ring 0. Called
 * from entry.S with IRQs off, after the exit work; what it does, the exit work of its own included, is what an
 * exception from the program would do.
 */
__visible noinstr void ukl_bad_frame(struct pt_regs *regs)
{
	irqentry_enter_from_user_mode(regs);
	instrumentation_begin();
	local_irq_enable();
	regs->cs = __USER_CS;
	if ((long)regs->sp < 0)
		regs->sp = 0;
	force_sig(SIGSEGV);
	local_irq_disable();
	instrumentation_end();
	irqentry_exit_to_user_mode(regs);
}

/*
 * INT n, which a program in ring 3 may not execute (#GP), is allowed in ring 0 and arrives as an interrupt. Where
 * no device has that vector, say what Linux says. (Where one has, its handler finds nothing to do.)
 */
static __always_inline bool ukl_is_int_instruction(struct pt_regs *regs, u32 vector)
{
	u8 code[2];

	return __this_cpu_read(vector_irq[vector]) == VECTOR_UNUSED &&
	       !copy_from_user_nofault(code, (void __user *)regs->ip - 2, sizeof(code)) && code[0] == 0xcd &&
	       code[1] == vector;
}

static __always_inline bool ukl_refuse_int(struct pt_regs *regs, u32 vector)
{
	bool refuse;

	instrumentation_begin();
	refuse = ukl_is_int_instruction(regs, vector);
	instrumentation_end();
	if (!refuse)
		return false;
	regs->ip -= 2;
	exc_general_protection(regs, vector << 3 | 2);	/* SDM volume 3, 6.13: IDT entry, not external */
	return true;
}

__visible noinstr void ukl_common_interrupt(struct pt_regs *regs, unsigned long error_code)
{
	if (!ukl_refuse_int(regs, (u8)error_code))
		common_interrupt(regs, error_code);
}

__visible noinstr void ukl_spurious_interrupt(struct pt_regs *regs, unsigned long error_code)
{
	if (!ukl_refuse_int(regs, (u8)error_code))
		spurious_interrupt(regs, error_code);
}
