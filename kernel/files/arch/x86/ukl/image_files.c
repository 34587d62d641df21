// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files that are not copied out of the image: where the loader put their pages, there they stay, and become pages of
 * the root file system like all others (asm/ukl_image.h). A machine needs the memory for them once, and starts without
 * the time for copying.
 */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/initrd.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/vmstat.h>

#include <asm/ukl_image.h>

/* Written by the tool in the image's file. */
__visible struct ukl_image_files ukl_image_files __initdata;

/* Before any memory is given away. */
static int __init ukl_keep_image_files(char *unused)
{
	if (ukl_image_files.count)
		memblock_reserve(ukl_image_files.start, ukl_image_files.size);
	return 0;
}
early_param("ukl", ukl_keep_image_files);

static void __init ukl_give_page(struct address_space *mapping, pgoff_t index, struct page *page)
{
	struct folio *folio = page_folio(page);

	ClearPageReserved(page);
	init_page_count(page);
	adjust_managed_page_count(page, 1);
	if (shmem_mapping(mapping))
		__folio_set_swapbacked(folio);
	if (filemap_add_folio(mapping, folio, index, GFP_KERNEL))
		panic("ukl: too little memory for the files of the image");
	if (folio_test_swapbacked(folio))
		lruvec_stat_mod_folio(folio, NR_SHMEM, 1);
	folio_mark_uptodate(folio);
	/* There is nowhere to read it from again. */
	folio_mark_dirty(folio);
	folio_unlock(folio);
	folio_put(folio);
}

/*
 * As shmem_charge would, but no limit of the file system holds: it is half of the memory that is free without these
 * pages, until init sets another.
 */
static void __init ukl_account(struct inode *inode, unsigned long pages)
{
	struct shmem_sb_info *limits = inode->i_sb->s_fs_info;

	if (limits->max_blocks)
		percpu_counter_add(&limits->used_blocks, pages);
	vm_acct_memory(pages);
	SHMEM_I(inode)->alloced += pages;
	inode->i_blocks += pages << (PAGE_SHIFT - 9);
}

static void __init ukl_give_file(const char *name, struct page *page, loff_t size)
{
	pgoff_t index, pages = DIV_ROUND_UP(size, PAGE_SIZE);
	struct address_space *mapping;
	struct path path;

	/* Memory did not suffice for the archive; init sees that its end is missing. */
	if (kern_path(name, 0, &path))
		return;
	mapping = d_inode(path.dentry)->i_mapping;
	if (shmem_mapping(mapping))
		ukl_account(mapping->host, pages);
	for (index = 0; index < pages; index++)
		ukl_give_page(mapping, index, page + index);
	i_size_write(mapping->host, size);
	path_put(&path);
}

static int __init ukl_give_image_files(void)
{
	char *start = phys_to_virt(ukl_image_files.start);
	const struct ukl_image_file *files = (void *)start;
	struct page *pages = virt_to_page(start);
	unsigned long i, all = ukl_image_files.size >> PAGE_SHIFT;

	if (!ukl_image_files.count)
		return 0;
	wait_for_initramfs();
	for (i = 0; i < ukl_image_files.count; i++) {
		all = min_t(unsigned long, all, files[i].page);
		ukl_give_file(start + files[i].name, pages + files[i].page, files[i].size);
	}
	/* What said where they are. */
	free_reserved_area(start, start + (all << PAGE_SHIFT), -1, NULL);
	return 0;
}
/* After all that hooks into a file system, and before init. */
late_initcall(ukl_give_image_files);
