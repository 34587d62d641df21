// SPDX-License-Identifier: GPL-2.0-only
/*
 * The gate page: which of the three kinds of entry each system call has. <asm/ukl_gate.h> is its interface.
 */
#include <linux/earlycpio.h>
#include <linux/entry-common.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/syscalls.h>

#include <asm/fixmap.h>
#include <asm/fpu/api.h>
#include <asm/sections.h>
#include <asm/ukl.h>
#include <asm/unistd.h>
#include <asm/vsyscall.h>

/* Written by the tool in the image's file. */
__visible u8 ukl_image_calls[UKL_GATE_ENTRIES] __initdata;

static unsigned long ukl_gate[UKL_GATE_ENTRIES] __page_aligned_bss;

/*
 * Calls that read or write all of their caller's registers, or return to another place, or start a thread from
 * them. (seccomp: from the next call on every one has to be seen, this one's exit included.)
 */
static const u16 ukl_full_calls[] __initconst = {
	__NR_rt_sigreturn, __NR_clone, __NR_clone3, __NR_fork, __NR_vfork, __NR_execve, __NR_execveat, __NR_exit,
	__NR_exit_group, __NR_ptrace, __NR_iopl, __NR_seccomp, __NR_prctl, __NR_arch_prctl, __NR_io_uring_setup,
	__NR_io_uring_enter, __NR_io_uring_register, __NR_perf_event_open, __NR_bpf, __NR_restart_syscall,
};

static bool __init ukl_needs_full(unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ukl_full_calls); i++)
		if (ukl_full_calls[i] == nr)
			return true;
	return nr >= NR_syscalls;
}

static unsigned long __init ukl_entry_of(unsigned int nr)
{
	u8 kind = ukl_image_calls[nr];

	if (kind == UKL_CALL_MASKED)
		ukl_mask_call(nr);
	if (kind == UKL_CALL_MASKED || kind == UKL_CALL_FULL || ukl_needs_full(nr) || ukl_traces_calls())
		return (unsigned long)ukl_full_0 + UKL_FULL_STRIDE * nr;
#define UKL_LEAF(call, function)						\
	if (nr == call)								\
		return (unsigned long)ukl_entry_##function;
#define UKL_SHORTCUT(call, function)						\
	if (nr == call && kind == UKL_CALL_SHORTCUT)				\
		return (unsigned long)ukl_entry_##function;
#include <asm/ukl_shortcuts.h>
	return ukl_direct_entries[nr];
}

/*
 * UEFI starts a kernel that is compressed, and there the tool cannot write into it: the table stands before the initial
 * ramdisk, as the only file of an archive (src/machine/efi_file.cpp).
 */
static void __init ukl_find_calls(void)
{
	struct cpio_data file;

	if (!IS_ENABLED(CONFIG_EFI_STUB) || !initrd_start)
		return;
	file = find_cpio_data(UKL_CALLS_FILE, (void *)initrd_start, min(initrd_end - initrd_start, 1024UL), NULL);
	if (file.data && !file.name[0] && file.size == sizeof(ukl_image_calls))
		memcpy(ukl_image_calls, file.data, sizeof(ukl_image_calls));
}

void __init ukl_make_gate(void)
{
	unsigned int nr;

	BUILD_BUG_ON(offsetof(struct task_struct, thread_info.flags) != UKL_TASK_FLAGS);
	BUILD_BUG_ON(offsetof(struct task_struct, thread_info.syscall_work) != UKL_TASK_SYSCALL_WORK);
	BUILD_BUG_ON(EXIT_TO_USER_MODE_WORK & ~UKL_EXIT_WORK);
	BUILD_BUG_ON(NR_syscalls > UKL_GATE_CALLS || UKL_GATE_CALLS > UKL_GATE_TEXT);
	BUILD_BUG_ON((unsigned long)UKL_GATE != VSYSCALL_ADDR);

	ukl_find_calls();
	for (nr = 0; nr < UKL_GATE_TEXT; nr++)
		ukl_gate[nr] = ukl_entry_of(nr);
	ukl_gate[UKL_GATE_INDEXED] = (unsigned long)ukl_indexed;
	ukl_gate[UKL_GATE_FUNCTION] = (unsigned long)ukl_direct_function;
	ukl_gate[UKL_GATE_TEXT] = (unsigned long)_text;
	set_memory_ro((unsigned long)ukl_gate, 1);
	__set_fixmap(VSYSCALL_PAGE, __pa_symbol(ukl_gate), PAGE_KERNEL_RO);
}

/* A direct entry goes back, and the program's FPU registers are not loaded. IRQs on. */
__visible void ukl_load_fpu(void)
{
	local_irq_disable();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	local_irq_enable();
}

/*
 * The program is being single-stepped and has just jumped to an entry of the gate. The step goes on at the SYSCALL
 * instruction that stands before the return address, and does what it does on any Linux. Called with IRQs off,
 * before the #DB handler.
 */
__visible noinstr void ukl_step_out_of_gate(struct pt_regs *regs)
{
	unsigned int nr;

	if ((long)regs->ip >= 0)
		return;
	for (nr = 0; nr < UKL_GATE_ENTRIES; nr++) {
		if (ukl_gate[nr] != regs->ip || nr == UKL_GATE_FUNCTION)
			continue;
		if (nr != UKL_GATE_INDEXED)
			regs->ax = nr;
		regs->ip = regs->cx - 2;
		return;
	}
}
