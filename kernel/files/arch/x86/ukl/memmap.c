// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that Linux keeps and a small machine misses: it becomes pages like all others, before anything much is
 * allocated.
 */
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pfn.h>
#include <linux/set_memory.h>

#include <asm/e820/api.h>
#include <asm/io.h>
#include <asm/pgtable.h>
#include <asm/realmode.h>
#include <asm/x86_init.h>

/* Once, and then it may be anybody's. */
static void __init ukl_free_page(unsigned long pfn)
{
	if (PageReserved(pfn_to_page(pfn)))
		free_reserved_page(pfn_to_page(pfn));
}

/*
 * Linux describes memory by sections of 128 MiB, and allocates the last one's page descriptions whole: 2 MiB, however
 * little of the section there is. In a machine of 8 MiB that is a quarter of it. Nobody reads what describes no
 * memory any more, since page numbers in that part of the section are no longer valid.
 */
static void __init ukl_free_memmap(void)
{
	/* The page allocator looks at the other half of each block that it could merge, up to the largest. */
	unsigned long first = ALIGN(max_pfn, MAX_ORDER_NR_PAGES), end = SECTION_ALIGN_UP(max_pfn);
	unsigned long address = PAGE_ALIGN((unsigned long)pfn_to_page(first));
	unsigned long last = (unsigned long)pfn_to_page(end) & PAGE_MASK;

	if (IS_ENABLED(CONFIG_MEMORY_HOTPLUG))
		return;
	/* pfn_valid() then asks for each 2 MiB, and not for the section. */
	__pfn_to_section(max_pfn - 1)->section_mem_map &= ~SECTION_IS_EARLY;
	for (; address < last; address += PAGE_SIZE)
		ukl_free_page(PHYS_PFN(slow_virt_to_phys((void *)address)));
}

/*
 * Linux leaves the first MiB alone (reserve_real_mode), because some firmware writes there later, and because other
 * CPUs start there. A hypervisor's does not, and with one CPU only the code for such a start is there. The first
 * 64 KiB are the firmware's all the same.
 */
static void __init ukl_free_low_memory(void)
{
	unsigned long code = PFN_DOWN(__pa(real_mode_header)), code_end = code + PFN_UP(real_mode_blob_end - real_mode_blob);
	unsigned long pfn;

	if (IS_ENABLED(CONFIG_SMP) || !real_mode_header)
		return;
	for (pfn = PFN_DOWN(SZ_64K); pfn < PFN_DOWN(BIOS_BEGIN); pfn++) {
		unsigned long start = PFN_PHYS(pfn);

		if (e820__mapped_all(start, start + PAGE_SIZE, E820_TYPE_RAM) && (pfn < code || pfn >= code_end))
			ukl_free_page(pfn);
	}
}

static int __init ukl_free_memory(void)
{
	ukl_free_memmap();
	ukl_free_low_memory();
	return 0;
}
/* Where a hypervisor's own code has taken the place of what follows. */
core_initcall(ukl_free_memory);

static void (*ukl_next_intr_init)(void) __initdata;

/* The first that Linux calls by a pointer once there is a page allocator (start_kernel, init_IRQ). */
static void __init ukl_intr_init(void)
{
	ukl_next_intr_init();
	ukl_free_memory();
}

static int __init ukl_free_memory_early(char *unused)
{
	ukl_next_intr_init = x86_init.irqs.intr_init;
	x86_init.irqs.intr_init = ukl_intr_init;
	return 0;
}
early_param("ukl", ukl_free_memory_early);
