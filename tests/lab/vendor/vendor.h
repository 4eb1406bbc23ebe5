/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINSCOPE_VENDOR_H
#define PINSCOPE_VENDOR_H

#include <linux/mutex.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "layout.h"

#define PINSCOPE_VENDOR_NAME "pinscope_vendor"

/* What a device has pinned, and its command region; part of each device. */
struct vendor {
	struct vfio_device *vdev;
	struct mutex lock;		/* all of the below */
	struct xarray pins;		/* by iova >> PAGE_SHIFT: struct pin */
	struct pinscope_vendor_region *region;
	struct page **pages;		/* room for one vfio_pin_pages */
};

int vendor_init(struct vendor *vendor, struct vfio_device *vdev);
void vendor_free(struct vendor *vendor);

/* Gives back every pin: a device must do so before it is closed. */
void vendor_close(struct vendor *vendor);
void vendor_dma_unmap(struct vendor *vendor, u64 iova, u64 length);
ssize_t vendor_read(struct vendor *vendor, char __user *buf, size_t count,
		    loff_t pos);
ssize_t vendor_write(struct vendor *vendor, const char __user *buf,
		     size_t count, loff_t pos);

int vendor_mdev_register(void);
void vendor_mdev_unregister(void);

#if IS_ENABLED(CONFIG_VFIO_PCI_CORE)
int vendor_pci_register(void);
void vendor_pci_unregister(void);
#else
static inline int vendor_pci_register(void) { return 0; }
static inline void vendor_pci_unregister(void) { }
#endif

#endif
