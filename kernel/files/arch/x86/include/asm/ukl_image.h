/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files of an image that are not copied out of it. In the initial ramdisk they are empty; their contents lie behind
 * it, each on pages of its own, and these pages become the file's. The kernel includes this file as <asm/ukl_image.h>,
 * the tool as <ukl/image.h>.
 */
#ifndef UKL_IMAGE_H
#define UKL_IMAGE_H

/*
 * The kernel's variable ukl_image_files, which the tool fills in when it makes the image: a region of physical memory
 * that begins with a page. It holds `count` of struct ukl_image_file, then their names, each with a zero at its end;
 * then, from the next page on, the files' contents, the last page of each filled up with zeros.
 */
struct ukl_image_files {
	unsigned long long start;	/* physical address */
	unsigned long long size;	/* bytes, all contents included */
	unsigned long long count;
};

struct ukl_image_file {
	unsigned int name;		/* where its absolute path begins: bytes from the region's start */
	unsigned int page;		/* where its contents begin: pages of 4096 bytes from the region's start */
	unsigned long long size;	/* bytes */
};

#endif
