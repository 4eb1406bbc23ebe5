// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pins pages, counts what is pinned, and gives it back.
 *
 * type1 stops the kernel if a mapping goes while a page of it is still pinned,
 * so every pin stands in an xarray until it is given back.
 */
#include <linux/highmem.h>
#include <linux/slab.h>

#include "vendor.h"
#include "log.h"
#include "migration.h"
#include "pins.h"

#define RAW_MAX (2 * VFIO_PIN_PAGES_MAX_ENTRIES)

struct pin {
	struct page *page;
	unsigned int count;	/* how often this address was pinned */
	bool may_write;
};

/* Notes a page that was just pinned. */
static int note_pin(struct vendor *vendor, unsigned long index,
		    struct page *page, bool may_write)
{
	struct pin *pin = xa_load(&vendor->pins, index);

	if (!pin) {
		int ret;

		pin = kzalloc(sizeof(*pin), GFP_KERNEL_ACCOUNT);
		if (!pin)
			return -ENOMEM;
		ret = xa_err(xa_store(&vendor->pins, index, pin,
				      GFP_KERNEL_ACCOUNT));
		if (ret) {
			kfree(pin);
			return ret;
		}
		pin->page = page;
		vendor->region->pinned++;
	}
	pin->count++;
	pin->may_write |= may_write;
	vendor->region->pins++;
	return 0;
}

/* Gives one pin of a page back. */
static void drop_pin(struct vendor *vendor, unsigned long index,
		     struct pin *pin)
{
	vfio_unpin_pages(vendor->vdev, (dma_addr_t)index << PAGE_SHIFT, 1);
	vendor->region->pins--;
	if (--pin->count)
		return;
	xa_erase(&vendor->pins, index);
	kfree(pin);
	vendor->region->pinned--;
}

static void drop_range(struct vendor *vendor, unsigned long first, u64 npage)
{
	u64 i;

	for (i = 0; i < npage; i++)
		drop_pin(vendor, first + i, xa_load(&vendor->pins, first + i));
}

/* One vfio_pin_pages: all of it or nothing. */
static int pin_once(struct vendor *vendor, dma_addr_t iova, int npage, int prot)
{
	unsigned long first = iova >> PAGE_SHIFT;
	int i, ret;

	ret = vfio_pin_pages(vendor->vdev, iova, npage, prot, vendor->pages);
	if (ret < 0)
		return ret;
	if (WARN_ON(ret != npage)) {
		vfio_unpin_pages(vendor->vdev, iova, ret);
		return -EIO;
	}
	for (i = 0; i < npage; i++) {
		ret = note_pin(vendor, first + i, vendor->pages[i],
			       prot & IOMMU_WRITE);
		if (ret) {
			vfio_unpin_pages(vendor->vdev,
					 iova + ((dma_addr_t)i << PAGE_SHIFT),
					 npage - i);
			drop_range(vendor, first, i);
			return ret;
		}
	}
	return npage;
}

s64 vendor_pin(struct vendor *vendor, u64 iova, u64 npage, u32 flags)
{
	int prot = flags & (IOMMU_READ | IOMMU_WRITE);
	u64 done = 0;

	/* type1 would pin, but know the page by an address that never matches */
	if (!PAGE_ALIGNED(iova))
		return -EINVAL;
	if (flags & PINSCOPE_VENDOR_ONE_CALL)
		return npage > RAW_MAX ? -EINVAL :
		       pin_once(vendor, iova, npage, prot);

	while (done < npage) {
		int batch = min_t(u64, npage - done,
				  VFIO_PIN_PAGES_MAX_ENTRIES);
		int ret = pin_once(vendor, iova + (done << PAGE_SHIFT), batch,
				   prot);

		if (ret < 0) {
			drop_range(vendor, iova >> PAGE_SHIFT, done);
			return ret;
		}
		done += batch;
	}
	return done;
}

s64 vendor_unpin(struct vendor *vendor, u64 iova, u64 npage)
{
	unsigned long first = iova >> PAGE_SHIFT;
	u64 i;

	for (i = 0; i < npage; i++)
		if (!xa_load(&vendor->pins, first + i))
			return -ENOENT;
	drop_range(vendor, first, npage);
	return npage;
}

s64 vendor_write_pinned(struct vendor *vendor, u64 iova, u64 length)
{
	struct pin *pin = xa_load(&vendor->pins, iova >> PAGE_SHIFT);

	if (!pin)
		return -ENOENT;
	if (!pin->may_write)
		return -EPERM;
	if (length > PAGE_SIZE - offset_in_page(iova))
		return -EINVAL;
	memcpy_to_page(pin->page, offset_in_page(iova), vendor->region->data,
		       length);
	return length;
}

/* Gives every pin from first to last back, however often it was pinned. */
u64 vendor_drop_all(struct vendor *vendor, unsigned long first,
		    unsigned long last)
{
	unsigned long index;
	struct pin *pin;
	u64 pages = 0;

	xa_for_each_range(&vendor->pins, index, pin, first, last) {
		unsigned int count = pin->count;

		while (count--)
			drop_pin(vendor, index, pin);
		pages++;
	}
	return pages;
}

int vendor_init(struct vendor *vendor, struct vfio_device *vdev)
{
	BUILD_BUG_ON(offsetof(struct pinscope_vendor_region, result) != 0x20);
	BUILD_BUG_ON(offsetof(struct pinscope_vendor_region, log) != 0x100);
	BUILD_BUG_ON(offsetof(struct pinscope_vendor_region, data) != 0x1000);

	vendor->vdev = vdev;
	mutex_init(&vendor->lock);
	xa_init(&vendor->pins);
	xa_init(&vendor->log.dirty);
	vendor->region = kvzalloc(sizeof(*vendor->region), GFP_KERNEL);
	vendor->pages = kvcalloc(RAW_MAX, sizeof(*vendor->pages), GFP_KERNEL);
	if (!vendor->region || !vendor->pages) {
		vendor_free(vendor);
		return -ENOMEM;
	}
	vendor->region->magic = PINSCOPE_VENDOR_MAGIC;
	vendor->region->log_size = PINSCOPE_VENDOR_LOG;
	vendor_log_init(vendor);
	vendor_migration_restart(vendor);
	return 0;
}

void vendor_free(struct vendor *vendor)
{
	WARN_ON(!xa_empty(&vendor->pins));
	xa_destroy(&vendor->pins);
	vendor_log_free(vendor);
	kvfree(vendor->pages);
	kvfree(vendor->region);
	vendor->pages = NULL;
	vendor->region = NULL;
	mutex_destroy(&vendor->lock);
}
