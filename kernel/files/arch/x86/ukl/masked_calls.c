// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which system calls are answered, and which were made: what the full way into the kernel looks at before Linux
 * does. The direct way never comes here, so a call that is masked or traced has a full entry (gate_page.c).
 *
 * The parameter "ukl_trace" answers every call and lists the numbers of those that were made in /proc/ukl_calls.
 */
#include <linux/bitmap.h>
#include <linux/entry-common.h>
#include <linux/init.h>
#include <linux/log2.h>
#include <linux/prctl.h>
#include <linux/printk.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include <asm/prctl.h>
#include <asm/ukl.h>
#include <asm/unistd.h>

static DECLARE_BITMAP(ukl_masked, UKL_GATE_ENTRIES) __ro_after_init;
static DECLARE_BITMAP(ukl_made, UKL_GATE_ENTRIES);
/* Masked calls, and those of which ukl_is_refused knows. */
static DECLARE_BITMAP(ukl_watched, UKL_GATE_ENTRIES) __ro_after_init = {
	[BIT_WORD(__NR_arch_prctl)] = BIT_MASK(__NR_arch_prctl) | BIT_MASK(__NR_prctl),
};
static atomic_t ukl_masked_count[UKL_GATE_ENTRIES];
static bool ukl_tracing __ro_after_init;

static int __init ukl_trace_parameter(char *value)
{
	ukl_tracing = true;
	return 0;
}
early_param("ukl_trace", ukl_trace_parameter);

bool __init ukl_traces_calls(void)
{
	return ukl_tracing;
}

void __init ukl_mask_call(unsigned int nr)
{
	__set_bit(nr, ukl_masked);
	__set_bit(nr, ukl_watched);
}

/*
 * What cannot have its effect in ring 0, and is refused as Linux refuses what it does not know: GS is the kernel's
 * own, and RDTSC does not fault whatever CR4.TSD says.
 */
static bool ukl_is_refused(const struct pt_regs *regs, int nr)
{
	BUILD_BUG_ON(BIT_WORD(__NR_arch_prctl) != BIT_WORD(__NR_prctl));
	if (nr == __NR_arch_prctl)
		return (int)regs->di == ARCH_SET_GS || (int)regs->di == ARCH_GET_GS;
	if (nr == __NR_prctl)
		return (int)regs->di == PR_SET_TSC && (unsigned int)regs->si == PR_TSC_SIGSEGV;
	return false;
}

/*
 * Init sets up the machine with calls (mount, reboot …) that its program has no need of. It, and its children until
 * they become the program, are those that have executed no other file than the kernel's first.
 */
static bool ukl_is_init(void)
{
	return current->self_exec_id <= 1;
}

/* The first time, and then as the count doubles: a mistake shows, and a loop does not flood the console. */
static void ukl_report_masked(int nr)
{
	int count = atomic_inc_return(&ukl_masked_count[nr]);

	if (is_power_of_2(count))
		pr_err("ukl: masked system call %d by %s[%d], answered with ENOSYS (%d so far)\n", nr, current->comm,
		       task_pid_nr(current), count);
}

/* A call whose number is watched; false if it is not to be answered. */
static bool ukl_watched_call(struct pt_regs *regs, int nr)
{
	if (ukl_tracing && !ukl_is_init())
		set_bit(nr, ukl_made);
	if (!ukl_tracing && !ukl_is_init() && test_bit(nr, ukl_masked)) {
		ukl_report_masked(nr);
		return false;
	}
	if (!ukl_is_refused(regs, nr))
		return true;
	regs->ax = -EINVAL;
	return false;
}

/*
 * A system call on the full way: by the SYSCALL instruction (IRQs off) or through the gate (IRQs on). Returns with
 * IRQs off, all exit work done.
 */
__visible noinstr void ukl_syscall(struct pt_regs *regs, int nr)
{
	bool answered = true;

	if (unlikely((unsigned int)nr < UKL_GATE_ENTRIES && (ukl_tracing || test_bit(nr, ukl_watched)))) {
		instrumentation_begin();
		answered = ukl_watched_call(regs, nr);
		instrumentation_end();
	}
	do_syscall_64(regs, answered ? nr : -1);
}

static int ukl_show_calls(struct seq_file *file, void *unused)
{
	unsigned int nr;

	for_each_set_bit(nr, ukl_made, UKL_GATE_ENTRIES)
		seq_printf(file, "%u\n", nr);
	return 0;
}

static int __init ukl_offer_calls(void)
{
	if (ukl_tracing)
		proc_create_single("ukl_calls", 0400, NULL, ukl_show_calls);
	return 0;
}
fs_initcall(ukl_offer_calls);
