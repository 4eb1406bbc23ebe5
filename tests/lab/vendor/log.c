// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA logging: which pages the device has written, in the ranges and the page
 * size that user space asks for, reported once each.
 */
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "vendor.h"
#include "log.h"

/* Where 6.12 and newer have iova_bitmap_set; others do not mind. */
MODULE_INFO(import_ns, "IOMMUFD");

struct vendor_range {
	u64 first, last;
};

static struct vendor *vendor_of(struct vfio_device *vdev)
{
	return dev_is_pci(vdev->dev) ? vendor_of_pci(vdev) :
				       vendor_of_mdev(vdev);
}

void vendor_log_init(struct vendor *vendor)
{
	vendor->log.smallest = SZ_4K;
	vendor->log.largest = SZ_2M;
	vendor->log.fewest = 0;
	vendor->log.most = U64_MAX;
}

void vendor_log_end(struct vendor *vendor)
{
	struct vendor_log *log = &vendor->log;

	kfree(log->ranges);
	log->ranges = NULL;
	log->error = 0;
	xa_destroy(&log->dirty);
	vendor->region->log_page = 0;
	vendor->region->log_dirty = 0;
	vendor->region->log_ranges = 0;
}

void vendor_log_free(struct vendor *vendor)
{
	kfree(vendor->log.ranges);
	xa_destroy(&vendor->log.dirty);
}

s64 vendor_log_sizes(struct vendor *vendor, u64 smallest, u64 largest)
{
	if (!is_power_of_2(smallest) || !is_power_of_2(largest) ||
	    smallest < SZ_4K || largest < smallest)
		return -EINVAL;
	vendor->log.smallest = smallest;
	vendor->log.largest = largest;
	return 0;
}

s64 vendor_log_space(struct vendor *vendor, u64 fewest, u64 most)
{
	if (most < fewest)
		return -EINVAL;
	vendor->log.fewest = fewest;
	vendor->log.most = most;
	return 0;
}

s64 vendor_log_fail(struct vendor *vendor, u64 error)
{
	if (!vendor->log.ranges || error >= MAX_ERRNO)
		return -EINVAL;
	vendor->log.error = error;
	return 0;
}

static bool is_logged(struct vendor *vendor, u64 first, u64 last)
{
	struct vendor_log *log = &vendor->log;
	u32 i;

	for (i = 0; i < vendor->region->log_ranges; i++)
		if (first <= log->ranges[i].last &&
		    last >= log->ranges[i].first)
			return true;
	return false;
}

s64 vendor_log_write(struct vendor *vendor, u64 iova, u64 length)
{
	struct vendor_log *log = &vendor->log;
	u64 last = iova + length - 1;
	unsigned long index;
	s64 pages = 0;

	if (!log->ranges || !length)
		return 0;
	if (last < iova || length > SZ_1G)
		return -EINVAL;
	for (index = iova >> log->shift; index <= last >> log->shift; index++) {
		u64 start = (u64)index << log->shift;
		int ret;

		if (!is_logged(vendor, start,
			       start + (1ULL << log->shift) - 1))
			continue;
		pages++;
		if (xa_load(&log->dirty, index))
			continue;
		ret = xa_err(xa_store(&log->dirty, index, xa_mk_value(1),
				      GFP_KERNEL_ACCOUNT));
		if (ret)
			return ret;
		vendor->region->log_dirty++;
	}
	return pages;
}

/* The bytes of all ranges; none of them overlap. */
static u64 space_of(struct rb_root_cached *root)
{
	struct interval_tree_node *node;
	u64 space = 0;

	for (node = interval_tree_iter_first(root, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX))
		space += node->last - node->start + 1;
	return space;
}

static int start(struct vendor *vendor, struct rb_root_cached *root,
		 u32 nnodes, u64 *page_size)
{
	struct interval_tree_node *node;
	struct vendor_log *log = &vendor->log;
	u64 space = space_of(root);
	u32 i = 0;

	if (log->ranges || !is_power_of_2(*page_size))
		return -EINVAL;
	/* As mlx5 does, whose hardware has room for so much. */
	if (space < log->fewest || space > log->most)
		return -EOPNOTSUPP;
	log->ranges = kcalloc(nnodes, sizeof(*log->ranges), GFP_KERNEL_ACCOUNT);
	if (!log->ranges)
		return -ENOMEM;
	for (node = interval_tree_iter_first(root, 0, ULONG_MAX);
	     node && i < nnodes;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX), i++) {
		log->ranges[i].first = node->start;
		log->ranges[i].last = node->last;
	}
	*page_size = clamp(*page_size, log->smallest, log->largest);
	log->shift = ilog2(*page_size);
	vendor->region->log_page = *page_size;
	vendor->region->log_ranges = i;
	return 0;
}

static int log_start(struct vfio_device *vdev, struct rb_root_cached *root,
		     u32 nnodes, u64 *page_size)
{
	struct vendor *vendor = vendor_of(vdev);
	int ret;

	mutex_lock(&vendor->lock);
	ret = start(vendor, root, nnodes, page_size);
	mutex_unlock(&vendor->lock);
	return ret;
}

static int log_stop(struct vfio_device *vdev)
{
	struct vendor *vendor = vendor_of(vdev);

	mutex_lock(&vendor->lock);
	vendor_log_end(vendor);
	mutex_unlock(&vendor->lock);
	return 0;
}

/*
 * As hardware does, forgets a whole page of its log, also where only a part of
 * it was asked for.
 */
static void report(struct vendor *vendor, u64 iova, u64 length,
		   struct iova_bitmap *bitmap)
{
	struct vendor_log *log = &vendor->log;
	u64 last = iova + length - 1;
	unsigned long index;
	void *entry;

	xa_for_each_range(&log->dirty, index, entry, iova >> log->shift,
			  last >> log->shift) {
		u64 first = (u64)index << log->shift;
		u64 from = max(first, iova);
		u64 to = min(first + (1ULL << log->shift) - 1, last);

		iova_bitmap_set(bitmap, from, to - from + 1);
		xa_erase(&log->dirty, index);
		vendor->region->log_dirty--;
	}
}

static int log_read_and_clear(struct vfio_device *vdev, unsigned long iova,
			      unsigned long length, struct iova_bitmap *bitmap)
{
	struct vendor *vendor = vendor_of(vdev);
	int ret = 0;

	mutex_lock(&vendor->lock);
	if (!vendor->log.ranges)
		ret = -EINVAL;
	else if (length)
		report(vendor, iova, length, bitmap);
	/* A device that fails half-way has forgotten what it took. */
	if (!ret)
		ret = -vendor->log.error;
	mutex_unlock(&vendor->lock);
	return ret;
}

static const struct vfio_log_ops log_ops = {
	.log_start		= log_start,
	.log_stop		= log_stop,
	.log_read_and_clear	= log_read_and_clear,
};

void vendor_give_log(struct vfio_device *vdev)
{
	vdev->log_ops = &log_ops;
}
