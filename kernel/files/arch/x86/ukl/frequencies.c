// SPDX-License-Identifier: GPL-2.0-only
/*
 * How fast a machine's counters count, from whoever made it: what Linux then need not measure.
 *
 * "ukl_lapic_khz=FREQUENCY" is the local APIC's timer. A processor that neither says it nor has a TSC deadline timer,
 * such as that of QEMU's translator, costs Linux twice a tenth of a second to measure it and to see that it is right
 * (calibrate_APIC_clock in arch/x86/kernel/apic/apic.c).
 */
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>

#include <asm/apic.h>
#include <asm/x86_init.h>

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

static unsigned long ukl_not_measured(void)
{
	return 0;
}

/*
 * "tsc_early_khz=FREQUENCY" is Linux's own word for the TSC. It measures the processor by the PIT all the same, for up to
 * 50 ms, and then takes the TSC's frequency for both if they differ much (determine_cpu_tsc_frequencies in
 * arch/x86/kernel/tsc.c).
 */
static int __init ukl_tsc_frequency(char *value)
{
	unsigned int khz;

	if (value && !kstrtouint(value, 0, &khz) && khz)
		x86_platform.calibrate_cpu = ukl_not_measured;
	return 0;
}
early_param("tsc_early_khz", ukl_tsc_frequency);
