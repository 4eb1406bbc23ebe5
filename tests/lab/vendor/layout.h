/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command region of the lab's vendor driver, as a program sees it.
 *
 * tests/kernel/vendor/layout.ts mirrors this file; MAGIC changes whenever an
 * offset or the meaning of a field does.
 */
#ifndef PINSCOPE_VENDOR_LAYOUT_H
#define PINSCOPE_VENDOR_LAYOUT_H

#include <linux/types.h>

#define PINSCOPE_VENDOR_MAGIC		0x314e4950 /* "PIN1" */

/* The region among those of a PCI device: vendor type of QEMU, this subtype. */
#define PINSCOPE_VENDOR_PCI_VENDOR	0x1234
#define PINSCOPE_VENDOR_PCI_SUBTYPE	0x50

/* op */
#define PINSCOPE_VENDOR_PIN		1 /* length: pages; result: pages */
#define PINSCOPE_VENDOR_UNPIN		2 /* length: pages; result: pages */
#define PINSCOPE_VENDOR_WRITE		3 /* length: bytes from data, by vfio_dma_rw */
#define PINSCOPE_VENDOR_READ		4 /* length: bytes into data, by vfio_dma_rw */
#define PINSCOPE_VENDOR_WRITE_PINNED	5 /* length: bytes from data, into a pinned page */
#define PINSCOPE_VENDOR_CLEAR		6 /* forget the unmap callbacks */
#define PINSCOPE_VENDOR_DIRTY		7 /* length: 4 KiB pages that the log notes as written */
#define PINSCOPE_VENDOR_LOG_SIZES	8 /* iova, length: smallest and largest page of the log */
#define PINSCOPE_VENDOR_FAIL		9 /* the next change of migration state fails */
#define PINSCOPE_VENDOR_LOG_FAIL	10 /* length: errno of each report of this log; 0: none */
#define PINSCOPE_VENDOR_LOG_SPACE	11 /* iova, length: fewest and most bytes that can be logged */

/* flags of PIN: the rights are those of the kernel's IOMMU_READ, IOMMU_WRITE */
#define PINSCOPE_VENDOR_PROT_READ	1
#define PINSCOPE_VENDOR_PROT_WRITE	2
#define PINSCOPE_VENDOR_ONE_CALL	4 /* one vfio_pin_pages, however many pages */

#define PINSCOPE_VENDOR_LOG		64
#define PINSCOPE_VENDOR_DATA		4096

struct pinscope_vendor_unmap {
	__u64 iova;
	__u64 length;
};

struct pinscope_vendor_region {
	/* 0x00: may be written; a write that ends with the doorbell runs the op */
	__u32 op;
	__u32 flags;
	__u64 iova;
	__u64 length;
	__u64 doorbell;

	/* 0x20: read only */
	__s64 result;		/* of the last op: a count, or -errno */
	__u32 magic;
	__u32 log_size;		/* entries of the log */
	__u64 pinned;		/* pages (addresses) that are pinned now */
	__u64 pins;		/* the same, each as often as it was pinned */
	__u64 unmaps;		/* dma_unmap callbacks since the last CLEAR */
	__u64 returned;		/* pages that these callbacks gave back */
	__u64 log_page;		/* bytes of a page of the DMA log; 0: there is no log */
	__u64 log_dirty;	/* pages that it holds */
	__u32 log_ranges;
	__u32 state;		/* migration state; 0 where there is none */
	__u64 path;		/* those of the last change, 4 bits each, the first lowest */
	__u64 reserved[18];

	/* 0x100: callback n stands at n % log_size; read only */
	struct pinscope_vendor_unmap log[PINSCOPE_VENDOR_LOG];
	__u8 reserved2[0xb00];

	/* 0x1000: may be written */
	__u8 data[PINSCOPE_VENDOR_DATA];
};

#endif
