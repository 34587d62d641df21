// SPDX-License-Identifier: GPL-2.0-only
/*
 * "ukl_lapic_khz=FREQUENCY": how fast the local APIC's timer counts, from whoever made the machine. A processor that
 * neither says it nor has a TSC deadline timer, such as that of QEMU's translator, costs Linux twice a
 * tenth of a second to measure it and to see that it is right (calibrate_APIC_clock in arch/x86/kernel/apic/apic.c).
 */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>

#include <asm/apic.h>

static int __init ukl_lapic_frequency(char *value)
{
	unsigned int khz;

	/* What is shorter than Linux's own lower bound for a tick's count is no frequency. */
	if (!value || kstrtouint(value, 10, &khz) || khz < 1000 || khz > UINT_MAX / 1000)
		return -EINVAL;
	lapic_timer_period = khz * 1000 / HZ;
	return 0;
}
early_param("ukl_lapic_khz", ukl_lapic_frequency);
