/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINSCOPE_VENDOR_H
#define PINSCOPE_VENDOR_H

#include <linux/mutex.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "layout.h"

#define PINSCOPE_VENDOR_NAME "pinscope_vendor"

struct vendor_range;
struct vendor_stream;

/* The device's own log of its writes; on while there are ranges. */
struct vendor_log {
	u64 smallest, largest;		/* pages that it can be kept in */
	u64 fewest, most;		/* bytes of all its ranges together */
	unsigned int shift;		/* of the page that it is kept in */
	struct vendor_range *ranges;
	struct xarray dirty;		/* by iova >> shift */
	int error;			/* what a report answers after all */
};

/* What a device has pinned, and its command region; part of each device. */
struct vendor {
	struct vfio_device *vdev;
	struct mutex lock;		/* all of the below */
	struct xarray pins;		/* by iova >> PAGE_SHIFT: struct pin */
	struct pinscope_vendor_region *region;
	struct page **pages;		/* room for one vfio_pin_pages */
	struct vendor_log log;
	struct vendor_stream *stream;	/* of the migration that goes on */
	bool fails;			/* the next change of state does */
	u64 changes;			/* of the region's data */
};

int vendor_init(struct vendor *vendor, struct vfio_device *vdev);
void vendor_free(struct vendor *vendor);

/* What a device can besides: while it is initialized. */
void vendor_give_log(struct vfio_device *vdev);
void vendor_give_migration(struct vfio_device *vdev, bool full);

/* What a device's reset does to the migration. */
void vendor_reset(struct vendor *vendor);

/* Gives back every pin: a device must do so before it is closed. */
void vendor_close(struct vendor *vendor);
void vendor_dma_unmap(struct vendor *vendor, u64 iova, u64 length);
ssize_t vendor_read(struct vendor *vendor, char __user *buf, size_t count,
		    loff_t pos);
ssize_t vendor_write(struct vendor *vendor, const char __user *buf,
		     size_t count, loff_t pos);

struct vendor *vendor_of_mdev(struct vfio_device *vdev);
int vendor_mdev_register(void);
void vendor_mdev_unregister(void);

#if IS_ENABLED(CONFIG_VFIO_PCI_CORE)
struct vendor *vendor_of_pci(struct vfio_device *vdev);
int vendor_pci_register(void);
void vendor_pci_unregister(void);
#else
static inline struct vendor *vendor_of_pci(struct vfio_device *vdev)
{
	return NULL;
}
static inline int vendor_pci_register(void) { return 0; }
static inline void vendor_pci_unregister(void) { }
#endif

#endif
