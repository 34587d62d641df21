/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before drivers/virtio/virtio_mmio.c (CFLAGS_virtio_mmio.o, which ukl kernel build sets): QEMU says of every
 * queue of a device on MMIO that it may have 1024 entries, whatever the device wanted, and drivers fill their queues
 * with pages: 20 MiB for three ports of a console. With these sizes it has what it has on PCI, and a console less.
 */
#ifndef _ASM_X86_UKL_VIRTIO_MMIO_H
#define _ASM_X86_UKL_VIRTIO_MMIO_H

/* The driver's own, which has to come before what is included. */
#define pr_fmt(fmt) "virtio-mmio: " fmt

#include <linux/minmax.h>
#include <linux/virtio.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#define UKL_MOST_ENTRIES 256
/*
 * Of a console each port's receiving queue is filled with pages, and that of the control messages: of these there are
 * as many at once as there are ports, and three more.
 */
#define UKL_CONSOLE_ENTRIES(index) ((index) == 2 || (index) == 3 ? 16 : 8)

#define vring_create_virtqueue(index, num, align, owner, ...)						\
	(vring_create_virtqueue)(index,									\
				 min_t(unsigned int, num, (owner)->id.device == VIRTIO_ID_CONSOLE ?	\
				       UKL_CONSOLE_ENTRIES(index) : UKL_MOST_ENTRIES),			\
				 align, owner, __VA_ARGS__)

#endif
