// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls so small that saving registers around them would cost more than they do: they are compiled to
 * keep all of them (but RAX) and call nothing. The results are those of kernel/sys.c's functions of these names.
 */
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <asm/ukl.h>

#define UKL_LEAF_FUNCTION __visible notrace __attribute__((no_caller_saved_registers, target("general-regs-only")))

/* A process's number in its own namespace, which is the innermost that it has one in. */
static __always_inline long ukl_own_number(const struct pid *pid)
{
	return pid->numbers[pid->level].nr;
}

UKL_LEAF_FUNCTION long ukl_gettid(void)
{
	return ukl_own_number(current->thread_pid);
}

UKL_LEAF_FUNCTION long ukl_getpid(void)
{
	return ukl_own_number(current->signal->pids[PIDTYPE_TGID]);
}

/* The parent may be in an outer namespace, where it has no number that its child could see: 0. */
static noinline __attribute__((no_caller_saved_registers, target("general-regs-only")))
long ukl_getppid_in_namespace(void)
{
	const struct pid *own = current->thread_pid, *parent;
	long number = 0;

	rcu_read_lock();
	parent = rcu_dereference(current->real_parent)->signal->pids[PIDTYPE_TGID];
	if (parent && parent->level >= own->level && parent->numbers[own->level].ns == own->numbers[own->level].ns)
		number = parent->numbers[own->level].nr;
	rcu_read_unlock();
	return number;
}

UKL_LEAF_FUNCTION long ukl_getppid(void)
{
	long number;

	if (unlikely(current->thread_pid->level))
		return ukl_getppid_in_namespace();
	rcu_read_lock();
	number = rcu_dereference(current->real_parent)->tgid;
	rcu_read_unlock();
	return number;
}
